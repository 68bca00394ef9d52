import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { ConfigError } from '../lib/errors.ts';
import { loadSettings } from './settings.ts';
import { AutomationStack } from './stack.ts';

const app = new App();
try {
  const file: unknown = app.node.tryGetContext('settings');
  if (typeof file !== 'string') throw new ConfigError('Name the settings file: -c settings=settings.json');
  new AutomationStack(app, 'AtlasAutomation', {
    settings: loadSettings(path.resolve(file)),
    bundles: path.resolve(import.meta.dirname, '../dist'),
  });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  const lines = [error.message, ...error.problems.map(({ path, problem }) => `  ${path}: ${problem}`)];
  process.stderr.write(`${lines.join('\n')}\n`);
  // At once: an app that ends by itself would still write an empty template.
  process.exit(1);
}
