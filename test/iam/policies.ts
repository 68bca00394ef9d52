/** What the synthesized roles may do, with every reference in it resolved to the names things have on the machine. */
import { type App, type CfnElement, Stack } from 'aws-cdk-lib';
import { CfnTable } from 'aws-cdk-lib/aws-dynamodb';
import { CfnEventBus } from 'aws-cdk-lib/aws-events';
import { CfnPolicy } from 'aws-cdk-lib/aws-iam';
import { CfnKey } from 'aws-cdk-lib/aws-kms';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { addDeployment } from '../../infra/deployment.ts';
import type { Settings } from '../../infra/settings.ts';
import { newApp } from '../infra/synth.ts';

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}
export interface Policy {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

const PLACE = 'us-east-1:000000000000';

/** The policies of every function's role, by the function's name. */
export function policiesOf(settings: Settings, bundles: string): Map<string, Policy[]> {
  const app = newApp();
  const { functions, data } = addDeployment(app, { settings }, bundles);
  const arns = arnsOf(app, data && textOf(functions, data.alerts.node.defaultChild as CfnElement));
  const resolve = (value: unknown): unknown => resolved(functions.resolve(value), arns);
  const policies = new Map<string, Policy[]>();
  const found = functions.node.findAll();
  for (const fn of found.filter((node) => node instanceof CfnFunction)) {
    const role = resolve(fn.role);
    const own = found.filter((node) => node instanceof CfnPolicy).filter(({ roles }) => roleOf(resolve(roles), role));
    policies.set(
      nameOfFunction(fn),
      own.map(({ policyDocument }) => resolve(policyDocument) as Policy),
    );
  }
  return policies;
}

const roleOf = (roles: unknown, role: unknown): boolean =>
  Array.isArray(roles) && roles.some((each) => `${String(each)}.Arn` === role);

const textOf = (stack: Stack, element: CfnElement): string => String(stack.resolve(element.logicalId));

const nameOfFunction = (fn: CfnFunction): string => {
  const { variables = {} } = (Stack.of(fn).resolve(fn.environment) ?? {}) as { variables?: Record<string, string> };
  const name = variables['POWERTOOLS_SERVICE_NAME'];
  if (name === undefined) throw new Error(`${fn.node.path} does not say which function it is`);
  return name;
};

/** What `Ref` and `Fn::GetAtt` of the things functions call stand for on the machine, by logical id. */
function arnsOf(app: App, alerts: string | undefined): ReadonlyMap<string, string> {
  const arns = new Map<string, string>();
  for (const node of app.node.findAll()) {
    const id = 'logicalId' in node ? String(Stack.of(node).resolve(node.logicalId)) : '';
    if (node instanceof CfnTable) arns.set(`${id}.Arn`, `arn:aws:dynamodb:${PLACE}:table/atlas-automation`);
    if (node instanceof CfnBucket) arns.set(`${id}.Arn`, 'arn:aws:s3:::atlas-automation-reports');
    if (node instanceof CfnFunction) arns.set(`${id}.Arn`, `arn:aws:lambda:${PLACE}:function:${nameOfFunction(node)}`);
    if (node instanceof CfnEventBus) arns.set(id, 'default');
    if (node instanceof CfnKey) arns.set(`${id}.Arn`, `arn:aws:kms:${PLACE}:key/own`);
  }
  if (alerts !== undefined) arns.set(`${alerts}.Arn`, `arn:aws:sqs:${PLACE}:atlas-automation-alerts.fifo`);
  return arns;
}

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '000000000000',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** The value with its intrinsics as text; what is unknown keeps its logical id, and so fits nothing that is called. */
function resolved(value: unknown, arns: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((each) => resolved(each, arns));
  if (typeof value !== 'object' || value === null) return value;
  const node = value as Record<string, unknown>;
  const [only] = Object.keys(node);
  if (only === 'Ref') return PSEUDO[String(node['Ref'])] ?? arns.get(String(node['Ref'])) ?? String(node['Ref']);
  if (only === 'Fn::GetAtt') {
    const attribute = (node['Fn::GetAtt'] as string[]).join('.');
    return arns.get(attribute) ?? attribute;
  }
  if (only === 'Fn::Join') {
    const [separator, parts] = node['Fn::Join'] as [string, unknown[]];
    return parts.map((part) => String(resolved(part, arns))).join(separator);
  }
  if (only?.startsWith('Fn::')) throw new Error(`a policy with ${only} is not understood here`);
  return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, resolved(each, arns)]));
}
