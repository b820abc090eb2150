"""`rntk-bench completion`: the script for shell completion."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Print the script for completion in a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script for shell completion of commands, options, datasets and methods.

    \b
    bash, in ~/.bashrc:                  eval "$(rntk-bench completion bash)"
    zsh, in ~/.zshrc after compinit:     eval "$(rntk-bench completion zsh)"
    fish, in ~/.config/fish/config.fish: rntk-bench completion fish | source
    """
    from click.shell_completion import get_completion_class

    completion_class = get_completion_class(shell)
    assert completion_class is not None, shell
    script = completion_class(
        ctx.find_root().command, {}, "rntk-bench", "_RNTK_BENCH_COMPLETE"
    ).source()
    click.echo(script, nl=False)
