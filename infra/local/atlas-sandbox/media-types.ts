import { AtlasRefusal } from './refusal.ts';

const VERSIONED = /^application\/vnd\.atlas\.(\d{4}-\d{2}-\d{2})\+json$/;

/**
 * The version that serves a request: the newest one that is not younger than the date asked for.
 * The date need not be one of the operation's own.
 */
export function versionServed(accept: string | null, versions: readonly string[]): string {
  for (const range of (accept ?? '').split(',')) {
    const version = resolve(range, versions);
    if (version !== undefined) return version;
  }
  throw new AtlasRefusal(406, 'INVALID_VERSION_DATE', 'The Accept header names no version of this resource.');
}

/** A body is of the version that is served, or plain JSON. */
export function refuseForeignBody(contentType: string | null, served: string, versions: readonly string[]): void {
  if (essence(contentType ?? '') === 'application/json') return;
  if (resolve(contentType ?? '', versions) === served) return;
  throw new AtlasRefusal(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    'The Content-Type of the request body is not the media type of this version.',
  );
}

export function versionedMediaType(version: string): string {
  return `application/vnd.atlas.${version}+json;charset=utf-8`;
}

/** What tells a client that a younger version exists: every version that has one goes at the same date. */
export function deprecationHeaders(served: string, versions: readonly string[]): Record<string, string> {
  const next = versions.filter((version) => version > served).sort()[0];
  if (next === undefined) return {};
  return { Deprecation: new Date(next).toUTCString().replace(', 0', ', '), Sunset: 'Thu, 1 Jul 2027 00:00:00 GMT' };
}

function resolve(mediaType: string, versions: readonly string[]): string | undefined {
  const date = VERSIONED.exec(essence(mediaType))?.[1];
  if (date === undefined || Number.isNaN(Date.parse(date))) return undefined;
  return versions
    .filter((version) => version <= date)
    .sort()
    .at(-1);
}

function essence(mediaType: string): string {
  return (mediaType.split(';')[0] ?? '').trim().toLowerCase();
}
