"""`rntk-bench completion`: the script that lets a shell complete this command."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Print the script that lets a shell complete commands and names.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that lets a shell complete commands, options, datasets and methods.

    \b
    bash, in ~/.bashrc:                  eval "$(rntk-bench completion bash)"
    zsh, in ~/.zshrc after compinit:     eval "$(rntk-bench completion zsh)"
    fish, in ~/.config/fish/config.fish: rntk-bench completion fish | source
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None, shell
    script = kind(ctx.find_root().command, {}, "rntk-bench", "_RNTK_BENCH_COMPLETE").source()
    click.echo(script, nl=False)
