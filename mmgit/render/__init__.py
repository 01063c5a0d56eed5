"""What should run in, the text of every rendered file out. Pure: no clock, no network, no git; only a team's own
blueprints are run in a child process.
"""
