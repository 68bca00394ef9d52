/** A token in the form Atlas's have; nobody checks the signature. */
export function jwt(claims: object, signature: string): string {
  return `${base64url({ alg: 'ES512', typ: 'JWT' })}.${base64url(claims)}.${signature}`;
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
