/** Lanes of Eigen's packet of half floats. */
const LANES = 8
/** Packets that it sums side by side. */
const SIDE = 4

/**
 * The sum of half floats that lie together as Eigen's InnerMostDimReducer makes it on x86: four packets of eight side by side,
 * then these one to the other, then what packets are left, each sum rounded; the eight of the last packet in float32; and the
 * elements past the packets, one after the other, before those are added.
 */
export function packetSum(values: Float32Array, round: (x: number) => number): number {
  const whole = values.length - (values.length % LANES)
  const unrolled = values.length - (values.length % (SIDE * LANES))
  const packets = new Float32Array(SIDE * LANES)
  for (let i = 0; i < unrolled; i++) {
    const at = i % packets.length
    packets[at] = round(packets[at] + values[i])
  }
  for (let i = LANES; i < packets.length; i++) packets[i % LANES] = round(packets[i % LANES] + packets[i])
  for (let i = unrolled; i < whole; i++) packets[i % LANES] = round(packets[i % LANES] + values[i])
  let rest = 0
  for (let i = whole; i < values.length; i++) rest = round(rest + values[i])
  if (whole === 0) return rest
  const half = Array.from({ length: LANES / 2 }, (_, i) => Math.fround(packets[i] + packets[i + LANES / 2]))
  const total = Math.fround(Math.fround(half[0] + half[2]) + Math.fround(half[1] + half[3]))
  return round(rest + round(total))
}
