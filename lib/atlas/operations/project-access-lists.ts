import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Instant, ObjectId, PageQuery, page } from './shapes.ts';

/** From where the project's clusters may be reached: one of an address, a block, or a security group of a peered VPC. */
export const AccessListEntry = z.object({
  cidrBlock: z.string().nullish(),
  ipAddress: z.string().nullish(),
  awsSecurityGroup: z.string().nullish(),
  comment: z.string().nullish(),
  /** When a temporary entry goes away by itself. */
  deleteAfterDate: Instant.nullish(),
  groupId: ObjectId.nullish(),
});
export type AccessListEntry = z.output<typeof AccessListEntry>;

/** Source: https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2/operation/operation-listgroupaccesslistentries. Role: Project Read Only. */
export const listGroupAccessListEntries = operation({
  id: 'listGroupAccessListEntries',
  summary: 'The addresses that may reach a project’s clusters',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/accessList',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId }),
  query: PageQuery,
  response: page(AccessListEntry),
});
