/** A wait that ends. */

/**
 * Whether `promise` settles within `milliseconds`.
 *
 * @throws what `promise` rejects with, if it does so in time.
 */
export async function settledWithin(
  promise: Promise<void>,
  milliseconds: number,
): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
