/** Makes a path absolute, as `lttng create --output` does. */

/**
 * `path` from the root, without links, `.` and `..`; its end need not exist.
 */
export function expandPath(path: string): string {
  let base = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  const rest: string[] = [];
  for (;;) {
    const found = realPath(base);
    if (found !== undefined) return append(found, rest);
    const slash = base.replace(/\/+$/, "").lastIndexOf("/");
    const name = base.slice(slash + 1).replace(/\/+$/, "");
    rest.unshift(name);
    base = slash <= 0 ? "/" : base.slice(0, slash);
  }
}

function append(found: string, names: readonly string[]): string {
  const parts = found.split("/").filter((part) => part !== "");
  for (const name of names) {
    if (name === "..") parts.pop();
    else if (name !== "." && name !== "") parts.push(name);
  }
  return `/${parts.join("/")}`;
}

function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (path === "/") throw error;
    return undefined;
  }
}
