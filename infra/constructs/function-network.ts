import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { CfnFunction, type IFunction } from 'aws-cdk-lib/aws-lambda';

/** A network with a way to the internet, and what may be done through it. */
export interface FunctionNetwork {
  readonly subnetIds: readonly string[];
  readonly securityGroupId: string;
}

/** Puts a function into the network's private subnets, and lets Lambda make its interfaces there in the function's role. */
export function enterNetwork(
  { fn, role }: { readonly fn: IFunction; readonly role: Role },
  { subnetIds, securityGroupId }: FunctionNetwork,
): void {
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface', 'ec2:DescribeNetworkInterfaces'],
      // Lambda refuses a role that may do so with less.
      resources: ['*'],
    }),
  );
  const resource = fn.node.defaultChild;
  if (!(resource instanceof CfnFunction)) throw new TypeError('a function has a resource');
  resource.vpcConfig = { subnetIds: [...subnetIds], securityGroupIds: [securityGroupId] };
}
