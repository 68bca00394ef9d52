import { GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';

/** The part of KMS's client that is used, in a file of its own to be imported when it is first needed. */
export const kms = { GenerateDataKeyCommand, KMSClient };
