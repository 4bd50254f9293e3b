/** @type {import('next').NextConfig} */
export default {
  // Run from node_modules as it is: what a model lacks is loaded on demand.
  serverExternalPackages: ['twotower'],
  // What the route reads by path, for hosts that take only the files that are traced.
  outputFileTracingIncludes: { '/recommend': ['./movies/**', './items.*'] },
}
