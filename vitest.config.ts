import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    dir: 'test',
    include: ['**/*.test.ts'],
    // Slower suites that need more than npm: `.ci/run` names their folder on the command line.
    exclude: ['browser', 'deploy', 'durability', 'emulator', 'fleet', 'iam', 'independent', 'lambda-runtime', 'sweep']
      .filter((suite) => suite !== process.env['SUITE'])
      .map((suite) => `${suite}/**`),
    // Both cores of a small machine: most of the time a test waits for a process or a clock.
    maxWorkers: 2,
    globalSetup: ['test/support/set-up.ts'],
    // Properties may be tried more often than usual.
    testTimeout: 20_000 * Number(process.env['PROPERTY_TIMES'] ?? 1),
    restoreMocks: true,
    unstubEnvs: true,
    // What the functions print is asserted where it matters, and noise elsewhere.
    env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' },
  },
});
