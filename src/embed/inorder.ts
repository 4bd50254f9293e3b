/**
 * What `work` gives for each item, in the items' order, each as soon as it is known. At most `window()` items are taken and
 * not yet given out, so that memory is bounded by the window and not by the input. Where the items fail, what was taken
 * before is given out first.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  work: (item: T) => Promise<R>,
  window: () => number,
): AsyncGenerator<R> {
  const source = items[Symbol.asyncIterator]()
  const results: Result<R>[] = []
  let asked: Promise<void> | null = null
  let ended = false
  let failure: { readonly error: unknown } | null = null
  const take = async (): Promise<void> => {
    try {
      const { done, value } = await source.next()
      if (done) ended = true
      else results.push(follow(work(value)))
    } catch (error) {
      ended = true
      failure = { error }
    }
    asked = null
  }
  try {
    for (;;) {
      if (asked === null && !ended && results.length < window()) asked = take()
      if (results[0]?.settled) yield await (results.shift() as Result<R>).promise
      else if (asked !== null || results.length > 0)
        await Promise.race([asked, results[0]?.promise].filter((wait) => wait != null))
      else break
    }
    if (failure !== null) throw (failure as { readonly error: unknown }).error
  } finally {
    // Not awaited: a source that waits for a slow reader's next bytes would keep us here.
    source.return?.().catch(() => {})
  }
}

interface Result<R> {
  readonly promise: Promise<R>
  settled: boolean
}

function follow<R>(promise: Promise<R>): Result<R> {
  const result = { promise, settled: false }
  const settle = () => {
    result.settled = true
  }
  promise.then(settle, settle)
  return result
}
