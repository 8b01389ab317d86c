"""The group `train listen`."""

import typer

from train.listen import pages_cli

app = typer.Typer(
    help="Ask native listeners: plan, build, serve, collect.", no_args_is_help=True, rich_markup_mode=None
)
pages_cli.register(app)
