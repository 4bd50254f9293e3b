import { defineConfig } from 'vitest/config'

// `unit` is what a contributor runs before a commit; `models` runs whole SavedModels and the command line;
// `runtimes` runs the packed package in every runtime and bundler; `ratios` measures, when the others have left it the machine.
export default defineConfig({
  test: {
    // Vitest leaves one core to itself: of two, that is half, and on it the files would run one after the other.
    maxWorkers: '100%',
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
      {
        test: {
          name: 'models',
          include: ['test/models/**/*.test.ts', 'test/cli/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'runtimes',
          include: ['test/runtimes/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // A page answers when the machine lets it.
          expect: { poll: { timeout: 60_000 } },
          globalSetup: 'test/runtimes/app.ts',
        },
      },
      {
        test: {
          name: 'ratios',
          include: ['test/ratios/**/*.test.mjs'],
          testTimeout: 300_000,
          sequence: { groupOrder: 1 },
          // Rewritten, what is measured would be slower.
          server: { deps: { external: [/\/(bench|dist)\//] } },
        },
      },
    ],
  },
})
