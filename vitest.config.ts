import { defineConfig } from 'vitest/config'

// `unit` is what a contributor runs before a commit; `models` runs whole SavedModels and the command line.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: { name: 'models', include: ['test/models/**/*.test.ts', 'test/cli/**/*.test.ts'], testTimeout: 120_000 },
      },
    ],
  },
})
