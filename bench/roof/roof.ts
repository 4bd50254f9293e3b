// The most multiply-adds that a core does in this engine: a loop of them in registers, with no load and no store. Eleven
// chains hide the latency, and with two operands and a product on its way they fit V8's sixteen registers: 41.7 GFLOPS
// baseline and 51.8 relaxed on Node 24, where twelve give 37 and 50. The baseline's chains are longer, a multiply and
// then an add, and so its loop stays below what the units could do.
import { madd, splat } from '../../assembly/lanes'

/** @param x, y operands that the compiler does not know: it would make constants anew at each use */
export function roof(steps: i32, x: f32, y: f32): f32 {
  const p = splat(x),
    q = splat(y)
  let a = splat(x),
    b = splat(x * 2),
    c = splat(x * 3),
    d = splat(x * 4),
    e = splat(x * 5),
    f = splat(x * 6)
  let g = splat(x * 7),
    h = splat(x * 8),
    i = splat(x * 9),
    j = splat(x * 10),
    k = splat(x * 11)
  for (; steps > 0; steps--) {
    a = madd(a, p, q)
    b = madd(b, p, q)
    c = madd(c, p, q)
    d = madd(d, p, q)
    e = madd(e, p, q)
    f = madd(f, p, q)
    g = madd(g, p, q)
    h = madd(h, p, q)
    i = madd(i, p, q)
    j = madd(j, p, q)
    k = madd(k, p, q)
  }
  const abc = f32x4.add(f32x4.add(a, b), c),
    def = f32x4.add(f32x4.add(d, e), f)
  const ghi = f32x4.add(f32x4.add(g, h), i),
    jk = f32x4.add(j, k)
  return f32x4.extract_lane(f32x4.add(f32x4.add(abc, def), f32x4.add(ghi, jk)), 0)
}
