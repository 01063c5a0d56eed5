"""A group of commands whose `--help` says the whole first sentence of each, on as many lines as it takes."""

import click

_LONGEST_SENTENCE = 500


class Grouped(click.Group):
    """click's own group cuts sentences off where the line ends."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with its first sentence."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, command.get_short_help_str(_LONGEST_SENTENCE)) for name, command in commands if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
