"""The commands: reads the command line, finds the group of a command and imports it alone."""

import importlib
import os

import click

from mmgit import __version__
from mmgit.cli import boundary
from mmgit.errors import UsageError

# name -> (module, attribute, one line for --help): --help must not import the commands
_COMMANDS = {
    "new": ("mmgit.cli.new", "new", "Make a repository here, in an existing project, or in a subfolder of one."),
    "check": ("mmgit.cli.compiling", "check", "Check all declared files; run nothing, write nothing."),
    "plan": ("mmgit.cli.reviewing", "plan", "Say what a change does to each environment."),
    "try": ("mmgit.cli.trying", "try_", "Ask what a change would run, and what runs now, the same rows."),
    "gate": ("mmgit.cli.reviewing", "gate", "Judge whether a change may move the pins that it moves."),
    "build": ("mmgit.cli.building", "build", "Make the images that declared manifests need."),
    "lock": ("mmgit.cli.locking", "lock", "Check images that another machine built, lock and pin them."),
    "compile": ("mmgit.cli.compiling", "compile_", "Render every environment, and with --commit commit it."),
    "release": ("mmgit.cli.building", "release", "Build, push, verify, lock, pin and compile in one go."),
    "retrain": ("mmgit.cli.retraining", "retrain", "Train a model as it declares, and register the result."),
    "promote": ("mmgit.cli.promoting", "promote", "Let services of one environment run in the next one."),
    "rollback": ("mmgit.cli.promoting", "rollback", "Let a service run what it ran before, and hold that."),
    "history": ("mmgit.cli.history", "history", "Show what a service ran, since when, and by which commit."),
    "matrix": ("mmgit.cli.history", "matrix", "Show what runs where."),
    "why": ("mmgit.cli.history", "why", "Show where what a service runs comes from, down to the data."),
    "status": ("mmgit.cli.status", "status", "Show what a cluster runs, beside what is pinned."),
    "diff": ("mmgit.cli.status", "diff", "Show where a cluster is not what the declarations make."),
    "up": ("mmgit.cli.local", "up", "Start a compose environment on this machine."),
    "down": ("mmgit.cli.local", "down", "Stop what `mmgit up` started."),
    "serve": ("mmgit.cli.local", "serve", "Serve a model or service as a local process, without container or key."),
    "model": ("mmgit.cli.models", "model", "Register, list, show, push and pull model versions."),
    "manifest": ("mmgit.cli.manifests", "manifest", "Create, list and show manifests: the recipes for images."),
    "image": ("mmgit.cli.images", "image", "List, show, rebuild, sign, verify, serve and collect images."),
    "service": ("mmgit.cli.services", "service", "Create, update, list, show, delete and call services."),
    "clients": ("mmgit.cli.clients", "clients", "Write a client of a service, in one of many languages."),
    "portal": ("mmgit.cli.portal", "portal", "Write a static site of all that is declared, and what ran when."),
    "telemetry": ("mmgit.cli.telemetry", "telemetry", "Show, compare and export what services recorded."),
    "env": ("mmgit.cli.environments", "env", "Create, list, show and examine environments."),
    "base": ("mmgit.cli.bases", "base", "Renew the locks of base images."),
    "ci": ("mmgit.cli.automating", "ci", "Write workflows or scripts for a CI, and lock mmgit for them."),
    "migrate": ("mmgit.cli.migrating", "migrate", "Let the repository be written by this mmgit, in one commit."),
    "renumber": ("mmgit.cli.renumbering", "renumber", "Move this branch's new numbers to the next free ones."),
    "schema": ("mmgit.cli.schemas", "schema", "Write the editor's JSON Schema of each kind of file."),
}


class _Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            import difflib  # noqa: PLC0415 - only for a typing error

            close = difflib.get_close_matches(args[0], _COMMANDS, 1)
            ctx.fail(f"no command {args[0]!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
        return super().resolve_command(ctx, args)


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mmgit")
@click.option("-C", "folder", type=click.Path(exists=True, file_okay=False), help="Run as if started in this folder.")
def cli(folder: str | None) -> None:
    """Declared models in git; images, manifests and deployments compiled from them."""
    if folder:
        os.chdir(folder)


def run(arguments: list[str], seen: object = None) -> int:
    """The exit code of `mmgit ARGUMENTS`; prints what went wrong. `seen` is for the command (click's `obj`)."""

    def parsed() -> object:
        try:
            return cli.main(arguments, prog_name="mmgit", standalone_mode=False, obj=seen)
        except click.exceptions.NoArgsIsHelpError as asked:
            asked.show()
            return asked.exit_code
        except click.UsageError as error:
            raise _ours(error) from error
        except click.Abort:
            raise KeyboardInterrupt from None

    return boundary.ended(parsed, arguments)


def _ours(error: click.UsageError) -> UsageError:
    """What click says of the command line, in the form of all other errors."""
    message = " ".join(error.format_message().split()).rstrip(".")
    command = error.ctx.command_path if error.ctx else "mmgit"
    return UsageError(message[:1].lower() + message[1:], f"{command} --help")
