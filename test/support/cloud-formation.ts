/** CloudFormation's query API, as far as a test deploys with it; an emulator's, which looks at no signature. */
export interface Template {
  readonly Resources: Record<string, { readonly Type: string; readonly Properties?: Record<string, unknown> }>;
}

export interface CloudFormation {
  /** The status of the new stack, and its resources of each type; or what the emulator said instead. */
  deploy(name: string, template: object): Promise<{ status: string; made: ReadonlyMap<string, number> }>;
}

const REGION = 'us-east-1';
const all = (xml: string, tag: string): string[] =>
  [...xml.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, 'g'))].map(([, text = '']) => text);

export function createCloudFormation(endpoint: string): CloudFormation {
  const call = async (parameters: Record<string, string>): Promise<string> => {
    const response = await fetch(endpoint, {
      method: 'POST',
      body: new URLSearchParams({ Version: '2010-05-15', ...parameters }),
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/cloudformation/aws4_request, SignedHeaders=host, Signature=none`,
      },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(all(text, 'Message')[0] ?? `${response.status}`);
    return text;
  };
  return {
    async deploy(StackName, template) {
      await call({ Action: 'CreateStack', StackName, TemplateBody: JSON.stringify(template) });
      const [status = 'none'] = all(await call({ Action: 'DescribeStacks', StackName }), 'StackStatus');
      const types: string[] = [];
      let NextToken: string | undefined;
      do {
        const page = await call({ Action: 'ListStackResources', StackName, ...(NextToken && { NextToken }) });
        types.push(...all(page, 'ResourceType'));
        NextToken = all(page, 'NextToken')[0];
      } while (NextToken);
      const made = new Map([...Map.groupBy(types, (type) => type)].map(([type, of]) => [type, of.length]));
      return { status, made };
    },
  };
}
