import '../../infra/require-node.cjs';

/** Fails the whole run with a plain message when the install did not bring Node 24. */
export default function requireNode(): void {}
