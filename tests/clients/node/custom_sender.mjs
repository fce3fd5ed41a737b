// The handler of Cognito's developer guide, with the keyring that the arguments ask for; prints what it decrypts.
//     node custom_sender.mjs raw|kms <key ARN> <key to the base 64 | KMS URL> <event>
import {
  buildClient,
  CommitmentPolicy,
  getClient,
  KMS,
  KmsKeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';

const [kind, keyArn, key, given] = process.argv.slice(2);
const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT);
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const keyring =
  kind === 'kms'
    ? new KmsKeyringNode({ keyIds: [keyArn], clientProvider: getClient(KMS, { endpoint: key, credentials }) })
    : new RawAesKeyringNode({
        keyNamespace: 'poolhouse',
        keyName: keyArn,
        unencryptedMasterKey: new Uint8Array(Buffer.from(key, 'base64')),
        wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
      });

const handler = async (event) => {
  const { plaintext, messageHeader } = await decrypt(keyring, Buffer.from(event.request.code, 'base64'));
  return { code: plaintext.toString('utf8'), pool: messageHeader.encryptionContext['userpool-id'] };
};

console.log(JSON.stringify(await handler(JSON.parse(given))));
