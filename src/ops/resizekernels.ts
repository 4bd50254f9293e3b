/** What a pixel `x` pixels away counts, before the weights of a position are made to sum to one; nothing past `radius`. */
interface Kernel {
  readonly radius: number
  at(x: number): number
}

const kernel = (radius: number, at: (distance: number) => number): Kernel => ({
  radius,
  at: (x) => (Math.abs(x) > radius ? 0 : at(Math.abs(x))),
})

const lanczos = (radius: number): Kernel =>
  kernel(radius, (x) =>
    x <= 1e-3 ? 1 : (radius * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / radius)) / (Math.PI * x) ** 2,
  )

/** By the names of ScaleAndTranslate's kernel_type (core/kernels/image/sampling_kernels.h). */
export const KERNELS: Readonly<Record<string, Kernel>> = {
  lanczos1: lanczos(1),
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
  gaussian: kernel(1.5, (x) => (x >= 1.5 ? 0 : Math.exp((-x * x) / (2 * 0.5 * 0.5)))),
  box: kernel(0.5, (x) => (x < 0.5 ? 1 : 0.5)),
  triangle: kernel(1, (x) => 1 - x),
  keyscubic: kernel(2, (x) => (x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1)),
  mitchellcubic: kernel(2, (x) =>
    x >= 1 ? (((-7 / 18) * x + 2) * x - 10 / 3) * x + 16 / 9 : ((7 / 6) * x - 2) * x * x + 8 / 9,
  ),
}
