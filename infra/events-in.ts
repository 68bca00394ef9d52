/** What the functions take, for those who let people ask for it in a form. */
import * as z from 'zod';
import { AuditEvent, RemediateEvent } from '../functions/audit-snapshot-schedules/contract.ts';
import { DeliverEvent, ReconcileEvent } from '../functions/bridge-alerts-to-tickets/contract.ts';
import { HttpEvent } from '../functions/bridge-alerts-to-tickets/webhook/contract.ts';
import { Event as RotationEvent, SweepEvent } from '../functions/rotate-service-account-secret/contract.ts';
import { Command, WatchEvent } from '../functions/start-live-migration/contract.ts';

const EVENTS: Readonly<Record<string, z.ZodType>> = {
  'rotate-service-account-secret': RotationEvent,
  'sweep-service-account-secrets': SweepEvent,
  'audit-snapshot-schedules': AuditEvent,
  'remediate-snapshot-schedules': RemediateEvent,
  'command-live-migration': Command,
  'watch-live-migrations': WatchEvent,
  'receive-atlas-alert': HttpEvent,
  'deliver-tickets': DeliverEvent,
  'reconcile-alerts': ReconcileEvent,
  'receive-ticket-update': HttpEvent,
};

const Property = z.looseObject({
  /** Missing where there is more than one. */
  type: z.string().optional().catch(undefined),
  const: z.json().optional(),
  enum: z.array(z.json()).optional(),
  default: z.json().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxLength: z.number().optional(),
  description: z.string().optional(),
});
export type Property = z.output<typeof Property>;

const ObjectShape = z.object({
  type: z.literal('object'),
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
  additionalProperties: z.unknown().optional(),
});

/** One value of an event: where it lies in it, and what it may be. */
export interface EventField {
  readonly path: readonly string[];
  readonly property: Property;
  readonly isRequired: boolean;
}

/** One kind of event a function takes. */
export interface EventKind {
  /** The event's `action` where it has one; otherwise what it is. */
  readonly name: string;
  readonly schema: z.ZodType;
  readonly fields: readonly EventField[];
  /** Whether it can be asked for as a dry run. */
  readonly hasDryRun: boolean;
  /** Whether it is one, whatever is asked for. */
  readonly isDryRun: boolean;
}

/**
 * The kinds of events of a function that people ask for, what needs the least first. Where a schema knows strict objects, those are meant: the others
 * are what AWS sends. Undefined for a function that is not known.
 */
export function eventKindsOf(lambda: string): readonly EventKind[] | undefined {
  const schema = EVENTS[lambda];
  if (!schema) return undefined;
  const kinds = alternativesOf(schema).flatMap((alternative) => {
    const shape = shapeOf(alternative);
    return shape ? [{ alternative, shape, isStrict: shape.additionalProperties === false }] : [];
  });
  const meant = kinds.some(({ isStrict }) => isStrict) ? kinds.filter(({ isStrict }) => isStrict) : kinds;
  return meant
    .map(({ alternative, shape }) => {
      const fields = fieldsOf(shape, []);
      const action = fields.find(({ path }) => path.join('.') === 'action')?.property.const;
      const dryRun = fields.find(({ path }) => path.join('.') === 'dryRun');
      return {
        name: typeof action === 'string' ? action : meant.length === 1 ? 'event' : 'other',
        schema: alternative,
        fields,
        hasDryRun: dryRun !== undefined,
        isDryRun: dryRun?.property.const === true,
      };
    })
    .toSorted((a, b) => a.fields.filter(isAsked).length - b.fields.filter(isAsked).length);
}

const isAsked = ({ isRequired }: EventField): boolean => isRequired;

/** Everything a function takes; undefined for a function that is not known. */
export const eventSchemaOf = (lambda: string): z.ZodType | undefined => EVENTS[lambda];

function alternativesOf(schema: z.ZodType): z.ZodType[] {
  if (!(schema instanceof z.ZodUnion)) return [schema];
  return schema.options.flatMap((option) => (option instanceof z.ZodType ? alternativesOf(option) : []));
}

const shapeOf = (schema: z.ZodType): z.output<typeof ObjectShape> | undefined =>
  ObjectShape.safeParse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })).data;

/** Objects of a few plain values are taken apart; what is deeper stays one field of JSON. */
function fieldsOf(shape: z.output<typeof ObjectShape>, above: readonly string[]): EventField[] {
  return Object.entries(shape.properties).flatMap(([name, value]): EventField[] => {
    const path = [...above, name];
    const isRequired = shape.required.includes(name);
    const inner = ObjectShape.safeParse(value).data;
    if (inner && isRequired && above.length === 0) {
      const fields = fieldsOf(inner, path);
      if (fields.length > 0 && fields.every(({ property }) => isPlain(property))) return fields;
    }
    return [{ path, property: Property.parse(value), isRequired }];
  });
}

/** Whether it is told in one field that is no JSON. */
export const isPlain = ({ type, enum: choices }: Property): boolean =>
  choices !== undefined || type === 'string' || type === 'boolean' || type === 'number' || type === 'integer';
