/** Scripts with which shells complete `lttng`, from the tables. */

import type { Command } from "./command.ts";
import type { OptionTable } from "../options/options.ts";

/** The shells that a script can be made for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = typeof SHELLS[number];

/** Commands whose argument is a session. */
const WITH_SESSION: ReadonlySet<string> = new Set([
  ...["clear", "destroy", "list", "rotate", "save", "set-session"],
  ...["start", "stop"],
]);

/** The script for one shell. */
export function completionScript(
  shell: Shell,
  commands: readonly Command[],
  globalOptions: OptionTable,
): string {
  const shown = commands.filter(({ isHidden }) => !isHidden);
  switch (shell) {
    case "bash":
      return bashScript(shown, globalOptions);
    case "zsh":
      return zshScript(shown, globalOptions);
    case "fish":
      return fishScript(shown, globalOptions);
  }
}

/** How each shell asks for the names of sessions. */
const SESSIONS = "command lttng --no-sessiond --mi=xml list 2>/dev/null | " +
  "sed 's/<session>/\\n&/g' | sed -n 's/^<session><name>\\([^<]*\\).*/\\1/p'";

function words(options: OptionTable): string {
  return options.flatMap(({ name, short }) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ]).join(" ");
}

function bashScript(
  commands: readonly Command[],
  globalOptions: OptionTable,
): string {
  const cases = commands.map((command) => {
    const { name, options, actions = [] } = command;
    const more = actions.map(({ name }) => ` ${name}`).join("");
    const sessions = WITH_SESSION.has(name) ? " $(_lttng_sessions)" : "";
    return `    ${name}) words="${words(options)}${more}${sessions}" ;;\n`;
  });
  return `# Completion of lttng for bash: source <(lttng completion bash)
_lttng_sessions() {
  ${SESSIONS}
}
_lttng() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      -*) ;;
      *) command="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  case "$previous" in
    -s|--session) COMPREPLY=($(compgen -W "$(_lttng_sessions)" -- "$current")); return ;;
  esac
  case "$command" in
    "") words="${words(globalOptions)} ${names(commands)}" ;;
    help) words="${names(commands)}" ;;
${cases.join("")}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _lttng lttng
`;
}

function names(commands: readonly Command[]): string {
  return commands.map(({ name }) => name).join(" ");
}

function zshScript(
  commands: readonly Command[],
  globalOptions: OptionTable,
): string {
  const list = commands.map(({ name, help }) =>
    `    ${zshQuote(`${name}:${help}`)}\n`
  );
  const cases = commands.map((command) => {
    const { name, options, actions = [] } = command;
    const specs = options.flatMap((option) => {
      const value = option.kind === "value"
        ? `:${option.valueName ?? "value"}:` +
          (option.name === "session" ? "_lttng_sessions" : "_files")
        : "";
      const help = `[${option.help.replaceAll(/[[\]:]/g, "\\$&")}]`;
      const forms = [
        `--${option.name}${value === "" ? "" : "="}`,
        ...(option.short === undefined ? [] : [`-${option.short}`]),
      ];
      return forms.map((form) => zshQuote(`${form}${help}${value}`));
    });
    const argument = actions.length > 0
      ? zshQuote(`*:action:(${actions.map(({ name }) => name).join(" ")})`)
      : WITH_SESSION.has(name)
      ? zshQuote("*:session:_lttng_sessions")
      : zshQuote("*:argument:_files");
    return `    ${name}) _arguments ${[...specs, argument].join(" ")} ;;\n`;
  });
  return `#compdef lttng
# Completion of lttng for zsh: source <(lttng completion zsh)
_lttng_sessions() {
  local -a sessions
  sessions=(\${(f)"$(${SESSIONS})"})
  compadd -a sessions
}
_lttng() {
  local -a commands
  commands=(
${list.join("")}  )
  local i command=""
  for ((i = 2; i < CURRENT; i++)); do
    [[ $words[i] != -* ]] && { command=$words[i]; break; }
  done
  if [[ -z $command ]]; then
    _describe command commands
    compadd -- ${words(globalOptions)}
    return
  fi
  shift $((i - 1)) words
  ((CURRENT -= i - 1))
  case $command in
    help) _describe command commands ;;
${cases.join("")}  esac
}
compdef _lttng lttng
`;
}

function zshQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishScript(
  commands: readonly Command[],
  globalOptions: OptionTable,
): string {
  const lines = [
    "# Completion of lttng for fish: lttng completion fish | source",
    "function __lttng_sessions",
    `  ${SESSIONS}`,
    "end",
    "complete -c lttng -f",
    ...globalOptions.map((option) =>
      `complete -c lttng -n __fish_use_subcommand ${fishOption(option)}`
    ),
    ...commands.flatMap(({ name, help, options, actions = [] }) => [
      `complete -c lttng -n __fish_use_subcommand -a ${name} -d ` +
      fishQuote(help),
      ...options.map((option) =>
        `complete -c lttng -n '__fish_seen_subcommand_from ${name}' ` +
        fishOption(option)
      ),
      ...actions.map((action) =>
        `complete -c lttng -n '__fish_seen_subcommand_from ${name}' ` +
        `-a ${action.name} -d ${fishQuote(action.help)}`
      ),
      ...(WITH_SESSION.has(name)
        ? [
          `complete -c lttng -n '__fish_seen_subcommand_from ${name}' ` +
          "-a '(__lttng_sessions)'",
        ]
        : []),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

function fishOption({ name, short, kind, help }: OptionTable[number]): string {
  return `-l ${name}` + (short === undefined ? "" : ` -s ${short}`) +
    (kind === "value" ? " -r" : "") +
    (name === "session" ? " -a '(__lttng_sessions)'" : "") +
    ` -d ${fishQuote(help)}`;
}

function fishQuote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
