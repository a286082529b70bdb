/** Which producer writes where, so that none can write into another's output. */

import { type RelativePath, selfAndAncestors } from "../base/path.ts";

/** Directories that producers hold. One holder may hold nested ones. */
export class PathClaims<Owner> {
  readonly #caseless: boolean;
  /** Holders of a directory or of one below it, with how often. */
  readonly #within = new Map<RelativePath, Map<Owner, number>>();
  /** Holders of exactly this directory, with how often. */
  readonly #at = new Map<RelativePath, Map<Owner, number>>();

  /** @param caseless Whether `a` and `A` are one directory on the disk. */
  constructor(caseless = false) {
    this.#caseless = caseless;
  }

  /**
   * Holds `path` for `owner`. Throws a RangeError where somebody else holds
   * it, or a directory above or below it.
   */
  claim(path: RelativePath, owner: Owner): void {
    const place = this.#place(path);
    const paths = selfAndAncestors(place);
    const taken = heldByAnother(this.#within.get(place), owner) ||
      paths.some((above) => heldByAnother(this.#at.get(above), owner));
    if (taken) {
      throw new RangeError(
        `The directory is in use by another producer: ${path}`,
      );
    }
    count(this.#at, place, owner, 1);
    for (const at of paths) count(this.#within, at, owner, 1);
  }

  /** Takes one {@linkcode claim} back. */
  release(path: RelativePath, owner: Owner): void {
    const place = this.#place(path);
    count(this.#at, place, owner, -1);
    for (const at of selfAndAncestors(place)) {
      count(this.#within, at, owner, -1);
    }
  }

  /** The same for all spellings of one directory. */
  #place(path: RelativePath): RelativePath {
    return this.#caseless
      ? path.normalize("NFC").toLowerCase() as RelativePath
      : path;
  }
}

function heldByAnother<Owner>(
  holders: Map<Owner, number> | undefined,
  owner: Owner,
): boolean {
  if (holders === undefined) return false;
  return holders.size > 1 || !holders.has(owner);
}

function count<Owner>(
  map: Map<RelativePath, Map<Owner, number>>,
  path: RelativePath,
  owner: Owner,
  change: number,
): void {
  let holders = map.get(path);
  if (holders === undefined) map.set(path, holders = new Map());
  const sum = (holders.get(owner) ?? 0) + change;
  if (sum > 0) holders.set(owner, sum);
  else holders.delete(owner);
  if (holders.size === 0) map.delete(path);
}
