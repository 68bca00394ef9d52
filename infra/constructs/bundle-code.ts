import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FileSystem, Stack, Stage } from 'aws-cdk-lib';
import { Code, CodeSigningConfig, type ICodeSigningConfigRef } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { ConfigError } from '../../lib/errors.ts';
import type { Settings } from '../settings.ts';
import { accept } from './accepted.ts';

export type CodeSigning = NonNullable<Settings['stack']['codeSigning']>;

export interface BundleCode {
  readonly foundation: {
    /** Folder with one built bundle per Lambda. */
    readonly bundles: string;
    readonly codeSigning?: CodeSigning | undefined;
  };
  readonly lambda: string;
  readonly settings?: unknown;
}

/**
 * The bundle of a function, with its settings beside it when there are any: then a copy of it in the output of this
 * synthesis. Not written into the bundle's own folder, where whoever runs the bundle on this machine would pick up the
 * settings of a deployment; and not put into the environment, which ends at 4 KB.
 *
 * Where only signed code runs, it is what was signed of this folder: the name in the bucket ends with its fingerprint.
 * Throws ConfigError where nothing was built.
 */
export function codeOf(scope: Construct, { foundation, lambda, settings }: BundleCode): Code {
  const { bundles, codeSigning } = foundation;
  const folder = path.join(bundles, lambda);
  if (!existsSync(path.join(folder, 'index.mjs')))
    throw new ConfigError(`${folder} holds no bundle: run npm run build first.`);
  const copy = settings === undefined ? folder : copyWithSettings(scope, folder, settings);
  if (!codeSigning) return Code.fromAsset(copy);
  accept(
    scope,
    'Annotation::@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified',
    'The name of the object says what is in it.',
  );
  const key = `${codeSigning.prefix}${lambda}-${FileSystem.fingerprint(copy)}.zip`;
  return Code.fromBucketV2(Bucket.fromBucketName(scope, 'SignedCode', codeSigning.bucket), key);
}

function copyWithSettings(scope: Construct, folder: string, settings: unknown): string {
  const stage = Stage.of(scope);
  if (stage === undefined) throw new TypeError('an OpsFunction belongs into an app');
  // By its name, so that whoever signs it finds it.
  const copy = path.join(stage.outdir, `bundle.${Stack.of(scope).artifactId}.${path.basename(folder)}`);
  rmSync(copy, { recursive: true, force: true });
  cpSync(folder, copy, { recursive: true });
  writeFileSync(path.join(copy, 'settings.json'), `${JSON.stringify(settings)}\n`);
  return copy;
}

/** Who may have signed it. */
export const signedBy = (scope: Construct, { configArn }: CodeSigning): ICodeSigningConfigRef =>
  CodeSigningConfig.fromCodeSigningConfigArn(scope, 'CodeSigning', configArn);
