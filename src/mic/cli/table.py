"""Every command, where its code is, and one line about it: enough for `mic --help` without importing any of them."""

from __future__ import annotations

# name -> (module:attribute, short help). Order is the order of help.
COMMANDS = {
    "auth": ("mic.cli.auth:auth", "Sign in, sign out, see who you are"),
    "org": ("mic.cli.organizations:organizations", "Make and list organizations, invite members"),
    "project": ("mic.cli.projects:projects", "Make, fork, change, list, delete and restore projects"),
    "import": ("mic.cli.import_git:imports", "Bring a Git repository in"),
    "export": ("mic.cli.export_git:exports", "Take a project away as a Git repository or a bundle, and its archive"),
    "clone": ("mic.cli.clone:clone", "Get a working copy of a project"),
    "session": ("mic.cli.sessions:sessions", "Start a session, record notes and decisions, land it"),
    "land": ("mic.cli.land:land", "Land what changed here, with its goal and decisions"),
    "branch": ("mic.cli.branches:branch", "List, begin and delete branches, and switch to one"),
    "sparse": ("mic.cli.sparse:sparse", "Which folders of the project are here"),
    "goto": ("mic.cli.goto:goto", "Bring the working copy to another position"),
    "revert": ("mic.cli.revert:revert", "Begin a session that takes a landing back"),
    "undo": ("mic.cli.undo:undo", "Take back what changed this workspace last"),
    "redo": ("mic.cli.undo:redo", "Do again what `mic undo` took back"),
    "op": ("mic.cli.undo:op", "What changed this workspace, command by command"),
    "sync": ("mic.cli.sync:sync", "Take in what landed since your base"),
    "pending": ("mic.cli.pending:pending", "What waits for the forge, which was not reached"),
    "resolve": ("mic.cli.resolve:resolve", "Settle what clashes, place by place"),
    "secrets": ("mic.cli.secrets:secrets", "What looks like a secret and kept a session from landing"),
    "status": ("mic.cli.hot_help:status", "What changed here since the base"),
    "diff": ("mic.cli.diff:diff", "What changed here, line by line"),
    "log": ("mic.cli.log:log", "The landings of the project, newest first"),
    "show": ("mic.cli.look:show", "One landing: goal, decisions, conversation, changes"),
    "cat": ("mic.cli.look:cat", "A file as it is at a position"),
    "blame": ("mic.cli.blame:blame", "Which landing each line of a file came with, and why"),
    "ls": ("mic.cli.listing:ls", "The files of a position"),
    "owners": ("mic.cli.protection:owners", "Whose a path is, and who lands it"),
    "config": ("mic.cli.config:config", "What you have set for mic on this machine"),
    "daemon": ("mic.cli.daemon:daemon", "A process that watches large working copies, for a quick status"),
    "completion": ("mic.cli.shell:completion", "What your shell completes"),
    "shell-init": ("mic.cli.shell:shell_init", "Completions and a prompt for your shell"),
    "cache": ("mic.cli.cache:cache", "What is kept on this machine of contents that were fetched"),
}
