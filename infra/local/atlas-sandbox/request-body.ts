import type * as z from 'zod';
import { AtlasRefusal } from './refusal.ts';

/** Reads a JSON body, and refuses an invalid one by the first attribute at fault. */
export function parseBody<T>(text: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(parseJson(text), { reportInput: true });
  if (parsed.success) return parsed.data;
  throw refusalOf(parsed.error.issues[0]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AtlasRefusal(400, 'MALFORMED_JSON', 'Received JSON is malformed.');
  }
}

function refusalOf(issue: z.core.$ZodIssue | undefined): AtlasRefusal {
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const attribute = unknown ?? issue?.path.join('.');
  if (!attribute) return new AtlasRefusal(400, 'INVALID_JSON', 'Received JSON does not match expected format.');
  if (issue?.code === 'invalid_type' && issue.input === undefined) {
    const detail = `The required attribute ${attribute} was not specified.`;
    return new AtlasRefusal(400, 'MISSING_ATTRIBUTE', detail, [attribute]);
  }
  if (issue?.code === 'invalid_value') {
    const detail = `An invalid enumeration value was specified for ${attribute}.`;
    return new AtlasRefusal(400, 'INVALID_ENUM_VALUE', detail, [attribute]);
  }
  return invalidAttribute(attribute);
}

export function invalidAttribute(attribute: string): AtlasRefusal {
  return new AtlasRefusal(400, 'INVALID_ATTRIBUTE', `Invalid attribute ${attribute} specified.`, [attribute]);
}
