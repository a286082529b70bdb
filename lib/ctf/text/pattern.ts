/** Patterns of event names, as LTTng has them: `*` stands for anything. */

/**
 * A test for whole names: `*` is any text, `\` takes the next character as it
 * is, and everything else stands for itself.
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const source = pattern.replace(
    /\\([\s\S])|(\*)|([\s\S])/g,
    (_, escaped?: string, star?: string, plain?: string) =>
      star === undefined ? literal(escaped ?? plain ?? "") : "[\\s\\S]*",
  );
  const expression = new RegExp(`^${source}$`);
  return (name) => expression.test(name);
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}
