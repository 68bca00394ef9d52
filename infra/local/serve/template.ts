/**
 * A process of its own: gets the settings, answers with the resources of the stacks they deploy, and ends.
 */
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import * as z from 'zod';
import { LAMBDAS } from '../../build.ts';
import { addDeployment } from '../../deployment.ts';
import { Settings } from '../../settings.ts';

const Template = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      /** The settings a function is deployed with, beside its bundle. */
      Settings: z.string().optional(),
    }),
  ),
});
const Assets = z.object({ files: z.record(z.string(), z.object({ source: z.object({ path: z.string() }) })) });
const Code = z.object({ Code: z.object({ S3Key: z.string() }) });
const CdkJson = z.object({ context: z.record(z.string(), z.unknown()).optional() });

const CDK_JSON = path.resolve(import.meta.dirname, '../../../cdk.json');

/**
 * Of the bundles only their names count here, so stand-ins are taken:
 * nothing is copied, and nothing has to be built. Leaves nothing on the disk.
 */
function synthesize(settings: Settings): object {
  const folder = mkdtempSync(path.join(tmpdir(), 'atlas-automation-synth-'));
  try {
    const bundles = path.join(folder, 'bundles');
    for (const lambda of Object.values(LAMBDAS)) {
      mkdirSync(path.join(bundles, lambda), { recursive: true });
      writeFileSync(path.join(bundles, lambda, 'index.mjs'), '');
    }
    const { context = {} } = CdkJson.parse(JSON.parse(readFileSync(CDK_JSON, 'utf8')));
    const app = new App({
      context,
      outdir: path.join(folder, 'out'),
      analyticsReporting: false,
      treeMetadata: false,
      // The CDK's look at the templates takes as long as the rest, and is had by whoever runs `npm run synth`.
      builtinCloudFormationValidation: false,
    });
    addDeployment(app, { settings }, bundles);
    const { directory, stacks } = app.synth();
    const resources: z.output<typeof Template>['Resources'] = Object.assign(
      {},
      ...stacks.map(({ template }) => Template.parse(template).Resources),
    );
    const assets = assetsOf(directory);
    for (const resource of Object.values(resources)) {
      const settings = settingsBeside(assets, resource.Properties);
      if (settings !== undefined) resource.Settings = settings;
    }
    return resources;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where the assets of all stacks lie, by the hash that their key in the bucket is. */
function assetsOf(directory: string): ReadonlyMap<string, string> {
  const manifests = globSync('*.assets.json', { cwd: directory });
  return new Map(
    manifests.flatMap((manifest) => {
      const { files } = Assets.parse(JSON.parse(readFileSync(path.join(directory, manifest), 'utf8')));
      return Object.entries(files).map(([hash, { source }]): [string, string] => [
        hash,
        path.resolve(directory, source.path),
      ]);
    }),
  );
}

function settingsBeside(
  assets: ReadonlyMap<string, string>,
  properties: Readonly<Record<string, unknown>>,
): string | undefined {
  const key = Code.safeParse(properties).data?.Code.S3Key;
  const folder = key === undefined ? undefined : assets.get(path.basename(key, '.zip'));
  if (folder === undefined) return undefined;
  const file = path.join(folder, 'settings.json');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

process.once('message', (message) => {
  process.send?.(synthesize(Settings.parse(message)));
  process.disconnect();
});
