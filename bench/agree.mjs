/**
 * A contender that computes something else is no contender.
 * @throws {Error} where an answer differs from the first one's by more than rounding, or by more than the part of the
 * largest number that the contender itself says, as int8 does
 */
export async function agree(contenders, what) {
  let first = null
  for (const { name, call, enter, within = 0 } of contenders) {
    await enter?.()
    const values = await call()
    first ??= values
    const worst = first.reduce((so, value, i) => Math.max(so, Math.abs(value - values[i])), 0)
    const most = within * first.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
    if (values.length !== first.length || !(worst < Math.max(1e-4, most)))
      throw new Error(`${name} does not compute ${what}: it differs from ${contenders[0].name} by ${worst}`)
  }
}
