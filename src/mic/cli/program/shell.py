"""`mic completion` and `mic shell-init`: what a shell completes, and what its prompt says, without a process of ours.

The scripts hold every command and option, so completing costs nothing but the shell's own time. They are made by the
version that they are for: a shell that evaluates `mic shell-init` when it starts always has the right ones. Names of
remotes are read by the shell from where they are written; those of branches, sessions and exports from the files that
commands leave (mic.cli.context.completed). What is no plain name is passed over: nothing in such a file is carried out.

A value of a closed list is offered where it may stand: behind its option, or as the argument that it is.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

import click

from mic.cli.people.tokens import SCOPES
from mic.cli.program.shell_shipped import SHELLS, shipped
from mic.cli.settings.user_config import DEFAULTS
from mic.cli.table import COMMANDS
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output

# What names follow a command: of remotes, branches, sessions or exports.
NAMES = {
    "mic push": "remotes",
    "mic fetch": "remotes",
    "mic remote remove": "remotes",
    "mic remote rename": "remotes",
    "mic remote set-url": "remotes",
    "mic remote show": "remotes",
    "mic branch switch": "branches",
    "mic branch delete": "branches",
    "mic branch create": "branches",
    "mic session resume": "sessions",
    "mic session switch": "sessions",
    "mic session show": "sessions",
    "mic revert": "sessions",
    "mic export cancel": "exports",
}


_TRUTH = ("true", "false")
# Closed lists that the commands themselves do not name as such, by where the value stands: behind these words, or as
# the argument of this number.
CLOSED: dict[str, tuple[str, ...]] = {
    "mic auth token create --scope": SCOPES,
    "mic config get 0": tuple(DEFAULTS),
    "mic config set 0": tuple(DEFAULTS),
    "mic config unset 0": tuple(DEFAULTS),
    **{f"mic config set {key}": _TRUTH for key, value in DEFAULTS.items() if isinstance(value, bool)},
}


class Node:
    """A command: its words ("mic session push"), the words that may follow, its options, and a line about each.

    `valued` are its options that have a value; `closed` what values there are, by where they stand, as in CLOSED.
    """

    __slots__ = ("below", "closed", "options", "valued", "words")

    def __init__(self, words: str, below: dict[str, str], options: dict[str, str]) -> None:
        self.words, self.below, self.options = words, below, options
        self.valued: set[str] = set()
        self.closed: dict[str, tuple[str, ...]] = {}


def nodes() -> list[Node]:
    """All commands, the root first. Loads every one of them."""
    top = {name: short for name, (_, short) in COMMANDS.items()}
    found = [Node("mic", top, {"--help": "Show the help", "--version": "Show the version"})]
    for name, (place, _) in COMMANDS.items():
        module, _, attribute = place.partition(":")
        found += _below(f"mic {name}", getattr(importlib.import_module(module), attribute))
    return found


def _below(words: str, command: click.Command) -> list[Node]:
    context = click.Context(command, info_name=words)
    options = {"--help": "Show the help"}
    for param in command.params:
        if isinstance(param, click.Option) and not param.hidden:
            options |= {flag: param.help or "" for flag in param.opts if flag.startswith("--")}
    if not isinstance(command, click.Group):
        return [_values(Node(words, {}, options), command)]
    below: dict[str, str] = {}
    found: list[Node] = []
    for name in command.list_commands(context):
        each = command.get_command(context, name)
        if each is not None and not each.hidden:
            below[name] = each.get_short_help_str(60)
            found += _below(f"{words} {name}", each)
    return [Node(words, below, options), *found]


def _values(node: Node, command: click.Command) -> Node:
    """The node, with what is known of the values of its options and arguments."""
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    for param in command.params:
        places = [str(arguments.index(param))] if isinstance(param, click.Argument) else param.opts
        if isinstance(param, click.Option) and not param.is_flag and not param.count:
            node.valued.update(param.opts)
        if isinstance(param.type, click.Choice):
            node.closed |= {f"{node.words} {place}": tuple(map(str, param.type.choices)) for place in places}
    node.closed |= {place: values for place, values in CLOSED.items() if place.startswith(f"{node.words} ")}
    return node


def _closed(found: list[Node]) -> dict[tuple[str, ...], list[str]]:
    """Where each closed list stands."""
    places: dict[tuple[str, ...], list[str]] = {}
    for node in found:
        for place, values in node.closed.items():
            places.setdefault(values, []).append(place)
    return places


def _valued(found: list[Node]) -> tuple[list[str], list[str]]:
    """Options that have a value wherever they are; and those that have one here and none there, with their command."""
    valued = sorted({name for node in found for name in node.valued})
    flags = {name for node in found for name in node.options if name not in node.valued}
    both = [f"{node.words} {name}" for node in found for name in sorted(node.valued & flags)]
    return [name for name in valued if name not in flags], both


def script(shell: str) -> str:
    """What completes `mic` in this shell."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](nodes())


def init_script(shell: str) -> str:
    """What this shell evaluates when it starts, made from the commands as they are."""
    return script(shell) + (_FISH_PROMPT if shell == "fish" else _PROMPT)


# Sets `names`, one a line, with the words of the shell itself. Of a file that somebody else wrote, plain names alone.
_KNOWN = """_mic_names() {
  local kind="$1" folder="$PWD" line name file
  names=
  if [ "$kind" = exports ]; then
    set -- "${XDG_CACHE_HOME:-$HOME/.cache}/mic/names/exports"
  else
    while [ ! -d "$folder/.mic" ]; do
      [ -n "$folder" ] && [ "$folder" != / ] || return 0
      folder="${folder%/*}"
    done
    set -- "$folder/.mic/names/$kind"
    [ "$kind" = remotes ] && set -- "$folder/.mic/remotes.toml" "${XDG_CONFIG_HOME:-$HOME/.config}/mic/config.toml"
  fi
  for file in "$@"; do
    [ -r "$file" ] || continue
    while IFS= read -r line; do
      name="$line"
      if [ "$kind" = remotes ]; then
        case "$line" in "[remote."*"]"*) name="${line#"[remote."}"; name="${name%%"]"*}" ;; *) continue ;; esac
      fi
      case "$name" in ""|*[!A-Za-z0-9._/-]*) ;; *) names="$names$name
" ;; esac
    done < "$file"
  done
}
"""


def _names_cases(indent: str) -> str:
    """Shell code that sets `names` for the command `here`."""
    kinds: dict[str, list[str]] = {}
    for words, kind in NAMES.items():
        kinds.setdefault(kind, []).append(f'"{words}"')
    cases = "\n".join(f"{indent}  {'|'.join(found)}) _mic_names {kind} ;;" for kind, found in kinds.items())
    return f'{indent}case "$here" in\n{cases}\n{indent}esac'


def _walk(found: list[Node]) -> str:
    """Shell code for one word of the command line: `here` is the command so far, `count` how many arguments of it there
    were, `option` the option whose value comes next, `before` the word itself.
    """
    known = "|".join(f'"{node.words}"' for node in found[1:])
    everywhere, both = _valued(found)
    return f"""[ "$word" = "=" ] && continue
    if [ -n "$option" ]; then option=; continue; fi
    case "$here $word" in {known}) here="$here $word"; continue ;; esac
    case "$word" in {"|".join(everywhere)}) option="$word" ;; -*) ;; *) count=$((count + 1)); before="$word" ;; esac
    case "$here $word" in {"|".join(f'"{each}"' for each in both)}) option="$word" ;; esac"""


def _closed_cases(found: list[Node], indent: str) -> str:
    """Shell code that sets `values` to what may stand here, where that is a closed list."""
    cases = "\n".join(
        f'{indent}    {"|".join(f"{chr(34)}{place}{chr(34)}" for place in places)}) values="{" ".join(values)}" ;;'
        for values, places in _closed(found).items()
    )
    return f"""{indent}for word in "$here ${{option:-$count}}" "$here $before"; do
{indent}  case "$word" in
{cases}
{indent}    *) continue ;;
{indent}  esac
{indent}  break
{indent}done"""


def _bash(found: list[Node]) -> str:
    cases = "\n".join(f'    "{node.words}") words="{" ".join([*node.below, *node.options])}" ;;' for node in found)
    return f"""{_KNOWN}_mic() {{
  local here=mic word words="" names="" values="" option="" before="" at count=0 current="${{COMP_WORDS[COMP_CWORD]}}"
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="${{COMP_WORDS[at]}}"
    {_walk(found)}
  done
  [ "$current" = "=" ] && current=
{_closed_cases(found, "  ")}
  if [ -z "$option" ]; then
    case "$here" in
{cases}
    esac
  {_names_cases("  ").replace(chr(10), chr(10) + "  ")}
  fi
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$values $words $names" -- "$current")
}}
complete -o bashdefault -o default -F _mic mic
"""


def _zsh(found: list[Node]) -> str:
    cases = "\n".join(f'    "{node.words}") compadd -- {" ".join([*node.below, *node.options])} ;;' for node in found)
    return f"""#compdef mic
{_KNOWN}_mic() {{
  local here=mic word names= values= option= before= count=0
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    {_walk(found)}
  done
  case "$PREFIX" in --*=*) option="${{PREFIX%%=*}}"; compset -P '*=' ;; esac
{_closed_cases(found, "  ")}
  [ -n "$values" ] && compadd -- ${{=values}}
  if [ -n "$option" ]; then
    [ -n "$values" ] || _files
    return
  fi
  case "$here" in
{cases}
  esac
{_names_cases("  ")}
  [ -n "$names" ] && compadd -- "${{(@f)names}}"
  [ -n "$values" ] || _files
}}
(( $+functions[compdef] )) && compdef _mic mic
""".replace("$path", "$mic_path").replace('path="$mic_path', 'mic_path="$mic_path')


def _fish(found: list[Node]) -> str:
    """One function with one look at the words: a condition for each command and option took fish 50 ms a key."""
    kinds: dict[str, list[str]] = {}
    for words, kind in NAMES.items():
        kinds.setdefault(kind, []).append(words)
    everywhere, both = _valued(found)
    values = "\n".join(
        f"      case {_all_quoted(places)}\n        printf '%s\\n' {' '.join(each)}\n        return"
        for each, places in _closed(found).items()
    )
    offered = "\n".join(
        f"    case {_quoted(node.words)}\n      printf '%s\\t%s\\n' "
        + " ".join(f"{name} {_quoted(short)}" for name, short in [*node.below.items(), *node.options.items()])
        for node in found
    )
    names = "\n".join(f"    case {_all_quoted(words)}\n      __mic_names {kind}" for kind, words in kinds.items())
    return f"""{_FISH_KNOWN}
function __mic_here
  set -l here mic
  set -l count 0
  set -l option ''
  set -l before ''
  for word in (commandline -opc)[2..]
    if test -n $option
      set option ''
      continue
    end
    switch $here/$word
      case {_all_quoted(_at(node.words) for node in found[1:])}
        set here $here' '$word
        continue
      case {_all_quoted(_at(words) for words in both)}
        set option $word
        continue
    end
    switch $word
      case {_all_quoted(everywhere)}
        set option $word
      case '-*'
      case '*'
        set count (math $count + 1)
        set before $word
    end
  end
  set -l inside (string match -rg '^(--[^=]+)=' -- (commandline -ct))
  test -n "$inside"; and set option $inside
  echo $here
  test -n $option; and echo $option; or echo $count
  echo $before
end
function __mic_values
  for place in $argv[1]' '$argv[2] $argv[1]' '$argv[3]
    switch $place
{values}
    end
  end
end
function __mic_complete
  set -l at (__mic_here)
  set -l here $at[1]
  for each in (__mic_values $at)
    string match -q -- '--*=*' (commandline -ct); and echo $at[2]=$each; or echo $each
  end
  string match -q -- '-*' $at[2]; and return
  switch $here
{offered}
  end
  switch $here
{names}
  end
end
function __mic_is_closed
  set -l at (__mic_here)
  switch $at[1]
    case {_all_quoted(node.words for node in found if node.below)}
      return 0
  end
  count (__mic_values $at) > /dev/null
end
complete -c mic -e
complete -c mic -n __mic_is_closed -f
complete -c mic -a '(__mic_complete)'
"""


def _all_quoted(texts: Iterable[str]) -> str:
    return " ".join(map(_quoted, texts))


def _at(words: str) -> str:
    """A command behind the one that it is below, as `__mic_here` compares."""
    return "/".join(words.rsplit(" ", 1))


_FISH_KNOWN = """function __mic_names
  set -l folder $PWD
  set -l files
  if test $argv[1] = exports
    set -l cache $HOME/.cache
    set -q XDG_CACHE_HOME; and set cache $XDG_CACHE_HOME
    set files $cache/mic/names/exports
  else
    while not test -d $folder/.mic
      test $folder = / ; and return 0
      set folder (dirname $folder)
    end
    set files $folder/.mic/names/$argv[1]
    if test $argv[1] = remotes
      set -l config $HOME/.config
      set -q XDG_CONFIG_HOME; and set config $XDG_CONFIG_HOME
      set files $folder/.mic/remotes.toml $config/mic/config.toml
    end
  end
  for file in $files
    test -r $file; or continue
    if test $argv[1] = remotes
      string match -rg '^\\[remote\\.([A-Za-z0-9_-]+)\\]' < $file
    else
      string match -r '^[A-Za-z0-9._/-]+$' < $file
    end
  end
end"""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


# Reads two small files with the shell's own words. What a goal says is not for the prompt to carry out.
_PROMPT = """mic_prompt() {
  local folder="$PWD" line organization= project= position= goal=
  while [ ! -d "$folder/.mic" ]; do
    [ -n "$folder" ] && [ "$folder" != / ] || return 0
    folder="${folder%/*}"
  done
  [ -r "${folder:-/}/.mic/config" ] || return 0
  while IFS= read -r line; do
    case "$line" in
      organization=*) organization="${line#*=}" ;;
      project=*) project="${line#*=}" ;;
      position=*) position="${line#*=}" ;;
    esac
  done < "$folder/.mic/config"
  if [ -r "$folder/.mic/session" ] && IFS= read -r line < "$folder/.mic/session"; then
    line="${line#* }"
    goal=" ${line#* }"
    goal="${goal:0:30}"
  fi
  printf '%s/%s@%s%s' "$organization" "$project" "$position" "$goal" | tr -d '[:cntrl:]%`$\\\\'
}
"""
_FISH_PROMPT = """function mic_prompt
  set -l folder $PWD
  while not test -d $folder/.mic
    test -n "$folder" -a "$folder" != / ; or return 0
    set folder (string replace -r '/[^/]*$' '' -- $folder)
  end
  test -r $folder/.mic/config; or return 0
  set -l found (string match -rg '^(?:organization|project|position)=(.*)' < $folder/.mic/config)
  test (count $found) -eq 3; or return 0
  set -l goal
  if test -r $folder/.mic/session; and read -l line < $folder/.mic/session
    set goal (string sub -l 30 -- ' '(string split -m 2 ' ' -- $line)[3])
  end
  printf '%s' (string replace -ra '[[:cntrl:]%`$\\\\\\\\]' '' -- "$found[1]/$found[2]@$found[3]$goal")
end
"""


@click.command(short_help="What your shell completes")
@click.argument("shell", type=click.Choice(SHELLS))
@json_option
def completion(out: Output, shell: str) -> None:
    """Print the completions of commands and options for a shell.

    bash: `source <(mic completion bash)`; zsh: save it as `_mic` in your fpath; fish: `mic completion fish | source`.
    """
    _print(out, shell, script(shell))


@click.command("shell-init", short_help="Completions and a prompt for your shell")
@click.argument("shell", type=click.Choice(SHELLS))
@json_option
def shell_init(out: Output, shell: str) -> None:
    """Print what a shell evaluates when it starts: completions, and `mic_prompt`, which says where you are.

    In ~/.bashrc: `eval "$(mic shell-init bash)"`, then for example `PS1='$(mic_prompt) \\w $ '`.
    """
    _print(out, shell, shipped(shell))


def _print(out: Output, shell: str, text: str) -> None:
    if not out.as_json:
        out.raw(text.encode())
    out.document({"shell": shell, "script": text})
