/**
 * A contender that computes something else is no contender.
 * @throws {Error} where an answer differs from the first one's by more than rounding
 */
export async function agree(contenders, what) {
  let first = null
  for (const { name, call, enter } of contenders) {
    await enter?.()
    const values = await call()
    first ??= values
    const worst = first.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i])), 0)
    if (values.length !== first.length || !(worst < 1e-4))
      throw new Error(`${name} does not compute ${what}: it differs from ${contenders[0].name} by ${worst}`)
  }
}
