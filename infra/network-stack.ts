import { CfnDeletionPolicy, CfnOutput, Fn, Stack, Tags } from 'aws-cdk-lib';
import {
  CfnEIP,
  CfnSecurityGroup,
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  NatProvider,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { FunctionNetwork } from './constructs/function-network.ts';
import type { Settings } from './settings.ts';
import type { EgressSettings } from './stack-settings.ts';

export interface NetworkStackProps {
  /** Of the stack this one belongs to. */
  readonly stack: Settings['stack'];
  readonly egress: EgressSettings;
}

const ENDPOINTS: Readonly<Record<EgressSettings['privateLink'][number], InterfaceVpcEndpointAwsService>> = {
  secretsmanager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  sqs: InterfaceVpcEndpointAwsService.SQS,
  events: InterfaceVpcEndpointAwsService.EVENTBRIDGE,
  logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  kms: InterfaceVpcEndpointAwsService.KMS,
  ssm: InterfaceVpcEndpointAwsService.SSM,
};

/**
 * A network of its own whose way out has fixed addresses: what stands in Atlas's access lists. Apart from the functions,
 * because the addresses must outlive them: they are kept when the stack goes, and the stack itself refuses to go until its
 * protection is taken off.
 */
export class NetworkStack extends Stack implements FunctionNetwork {
  readonly subnetIds: readonly string[];
  readonly securityGroupId: string;

  readonly #zones: number;

  /** By their order in whatever region it is: asking AWS for their names would take credentials to synthesize. */
  override get availabilityZones(): string[] {
    return Array.from({ length: this.#zones }, (_, nth) => Fn.select(nth, Fn.getAzs()));
  }

  constructor(scope: Construct, id: string, { stack, egress }: NetworkStackProps) {
    const { name, account, region, tags } = stack;
    super(scope, id, {
      stackName: `${name}-network`,
      description: 'Atlas Automation: the fixed addresses its functions reach the internet from',
      tags,
      terminationProtection: true,
      ...(account !== undefined && region !== undefined && { env: { account, region } }),
    });
    this.#zones = egress.zones;
    const addresses = Array.from({ length: egress.natGateways }, (_, nth) => {
      const address = new CfnEIP(this, `Address${nth}`, { domain: 'vpc' });
      Tags.of(address).add('Name', `${name}-${nth}`);
      // An address that was given back may be somebody else's tomorrow, and still stand in an access list.
      address.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN;
      address.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
      return address;
    });
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(egress.cidr),
      maxAzs: egress.zones,
      natGateways: egress.natGateways,
      natGatewayProvider: NatProvider.gateway({
        eipAllocationIds: addresses.map(({ attrAllocationId }) => attrAllocationId),
      }),
      subnetConfiguration: [
        { name: 'Out', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false },
        { name: 'Functions', subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      ],
      restrictDefaultSecurityGroup: false,
    });
    for (const [service, endpoint] of [
      ['S3', GatewayVpcEndpointAwsService.S3],
      ['DynamoDb', GatewayVpcEndpointAwsService.DYNAMODB],
    ] as const)
      vpc.addGatewayEndpoint(service, { service: endpoint });
    vpc.addFlowLog('Rejected', { destination: FlowLogDestination.toCloudWatchLogs() });

    const group = new CfnSecurityGroup(this, 'Functions', {
      vpcId: vpc.vpcId,
      groupDescription: 'Nothing in; out to where the functions call',
      securityGroupEgress: [443, ...egress.ports].map((port) => ({
        ipProtocol: 'tcp',
        fromPort: port,
        toPort: port,
        cidrIp: '0.0.0.0/0',
        description: `TCP ${port}`,
      })),
    });
    if (egress.privateLink.length > 0) {
      const endpoints = new CfnSecurityGroup(this, 'Endpoints', {
        vpcId: vpc.vpcId,
        groupDescription: 'From the functions to AWS',
        securityGroupIngress: [
          {
            ipProtocol: 'tcp',
            fromPort: 443,
            toPort: 443,
            sourceSecurityGroupId: group.attrGroupId,
            description: 'TLS',
          },
        ],
      });
      const securityGroups = [SecurityGroup.fromSecurityGroupId(this, 'EndpointsGroup', endpoints.attrGroupId)];
      for (const service of egress.privateLink)
        vpc.addInterfaceEndpoint(`To-${service}`, { service: ENDPOINTS[service], securityGroups, open: false });
    }
    new CfnOutput(this, 'Addresses', {
      value: Fn.join(
        ',',
        addresses.map(({ attrPublicIp }) => attrPublicIp),
      ),
      description: 'For access lists, each as /32',
    });
    this.subnetIds = vpc.privateSubnets.map(({ subnetId }) => subnetId);
    this.securityGroupId = group.attrGroupId;
  }
}
