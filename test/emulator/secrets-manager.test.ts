import { type Difference, secretsManagerConformance } from '../support/secrets-manager-conformance.ts';

const endpoint = (): string => {
  const origin = process.env['AWS_ENDPOINT_URL'];
  if (!origin) throw new Error("AWS_ENDPOINT_URL must be the origin of moto's server, e.g. http://127.0.0.1:5055");
  return origin;
};

/** Where moto 5.2.5 departs from the documented service. */
const differences: readonly Difference[] = [
  {
    behaviour: 'ResourceNotFoundException comes with status 400',
    why: 'moto answers with 404; AWS answers every client error of this protocol with 400',
    shows: 404,
  },
  {
    behaviour: 'a pending version is as immutable as any other',
    why: 'moto skips its check of the token while the version has AWSPENDING, and overwrites',
    shows: ['accepted', 'other'],
  },
  {
    behaviour: 'UpdateSecret with a token in use is refused',
    why: 'moto treats the same value under the same token as a repeat, as PutSecretValue does',
    shows: 'accepted',
  },
  {
    behaviour: 'a read without stage or version gives the current version after a move',
    why: 'moto remembers a default version, and UpdateSecretVersionStage does not change it: read AWSCURRENT by name',
    shows: 'one',
  },
  {
    behaviour: 'a value put after a move leaves one current and one previous version',
    why: 'moto takes AWSCURRENT from its remembered default version, not from the version that has it',
    shows: { v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'], v3: ['AWSCURRENT'] },
  },
  {
    behaviour: 'moving any other label without naming its version is refused too',
    why: 'moto checks this for AWSCURRENT only, and then has the label twice',
    shows: ['accepted', { v1: ['AWSCURRENT', 'AWSPENDING'], v2: ['AWSPENDING'] }],
  },
  {
    behaviour: 'AWSCURRENT cannot be taken off',
    why: 'moto lets it go',
    shows: ['accepted', { v1: ['AWSPREVIOUS'] }],
  },
  {
    behaviour: 'versions without labels are listed only on demand',
    why: 'moto does not know IncludeDeprecated and lists every version',
    shows: [3, 3],
  },
  {
    behaviour: 'DescribeSecret leaves out versions without labels',
    why: 'moto lists them with an empty list of labels',
    shows: 3,
  },
  {
    behaviour: 'RotateSecret without a function is refused',
    why: 'moto promotes the new version at once, without a value',
    shows: ['accepted', { v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'] }],
  },
  {
    behaviour: 'RotateSecret is refused while AWSPENDING is on a version that is not current',
    why: 'the check in moto is the wrong way round: it starts the next rotation and moves the label',
    shows: ['ResourceNotFoundException', { v1: ['AWSCURRENT'], v3: ['AWSPENDING'] }],
  },
  {
    behaviour: 'RotateSecret is accepted while AWSPENDING is on the current version',
    why: 'the check in moto is the wrong way round',
    shows: { v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT', 'AWSPENDING'] },
  },
  {
    behaviour: 'a value put by someone else during a rotation takes AWSPENDING off',
    why: 'moto does not know abandoned rotations',
    shows: { v1: ['AWSPREVIOUS'], v2: ['AWSPENDING'], v3: ['AWSCURRENT'] },
  },
  {
    behaviour: 'PutSecretValue is refused while deletion is scheduled',
    why: 'moto does not check',
    shows: 'accepted',
  },
  {
    behaviour: 'UpdateSecretVersionStage is refused while deletion is scheduled',
    why: 'moto does not check',
    shows: 'accepted',
  },
  {
    behaviour: 'the name of a secret scheduled for deletion cannot be used',
    why: 'moto refuses with the error of a living secret of that name',
    shows: 'ResourceExistsException',
  },
  {
    behaviour: 'PutEvents keeps the sources of AWS services for AWS',
    why: 'moto does not check',
    shows: { FailedEntryCount: 0, Entries: ['put', 'put'] },
  },
  {
    behaviour: 'PutEvents refuses requests over 1 MiB',
    why: 'moto does not check',
    shows: 'accepted',
  },
];

secretsManagerConformance(endpoint, differences);
