/** Time that something may take at most. */

/** A span of time that runs from its making. */
export class Bounded {
  readonly #end: number;

  constructor(
    /** Milliseconds. */
    readonly timeoutMs: number,
  ) {
    this.#end = performance.now() + timeoutMs;
  }

  /** Milliseconds that are left. */
  get leftMs(): number {
    return Math.max(0, this.#end - performance.now());
  }

  /** Whether `work` settles in time; its failure counts as that too. */
  async reaches(work: Promise<unknown>): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), this.leftMs);
    });
    const done = work.then(() => true, () => true);
    try {
      return await Promise.race([done, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
