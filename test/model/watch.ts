/**
 * The invariants, looked at after every effect. Each is what the rotation promises to whoever relies on it; what people do
 * out of band is set apart, because nothing can be promised against it.
 */
import { POLICY, type Subject } from './scenes.ts';
import { time } from './stand-ins/time.ts';
import { isAlive, labelled, secretOf, stateOf, storedIn, unreferenced, versionValue } from './truth.ts';
import type { AtlasAnswer, AwsAnswer, Invocation, Request, Watcher, Wire } from './wire.ts';

export interface Violation {
  readonly rule: string;
  readonly what: string;
  /** Number of the effect it was seen after. */
  readonly at: number;
}

const HOUR = 3_600_000;
const GRACE_MS = POLICY.graceHours * HOUR;
const MINT = /^create\w*ServiceAccountSecret$/;
const REMOVE = /^delete\w*ServiceAccountSecret$/;
const SECRET_TEXT = /mdb_sa_sk_|eyJ[\w-]{8,}\.|Basic [\w+/=]{12,}/;

interface Asked {
  readonly headers: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
}

const WITHOUT_LABELS = new Set(['I0', 'I3', 'I9', 'I10', 'I11']);

const secretIn = (basic: string | undefined): string =>
  Buffer.from(basic?.replace(/^Basic /i, '') ?? '', 'base64')
    .toString()
    .split(':')
    .slice(1)
    .join(':');

export class Watch implements Watcher {
  readonly violations: Violation[] = [];
  readonly states = new Set<string>();
  /** Versions that became current by our own doing, in order. */
  readonly promoted: string[] = [];
  /** Atlas ids of secrets somebody deleted behind our back: nothing is promised for them. */
  readonly takenAway = new Set<string>();
  /**
   * Versions that AWSPENDING no longer marks as promoted and not told of, because a person took it off or wrote a value.
   * A process that lives tells all the same; once it is dead nobody can know.
   */
  readonly unmarked = new Set<string>();
  /** Set where a person moved labels or values: then some rules speak of their doing, not of ours. */
  isOperatorAtWork = false;
  /** Set where a person had a leaked secret replaced: then nobody's grace counts. */
  isUrgent = false;
  /** Set where a person moved AWSCURRENT back by its label, which the runbook forbids. */
  isForbidden = false;
  tokens = 0;
  atlasCalls = 0;
  mints = 0;
  readonly subject: Subject;
  readonly #wire: () => Wire;
  /** When a secret was last behind AWSCURRENT, by its Atlas id, as far as it was seen. */
  readonly #lastCurrent = new Map<string, number>();
  readonly #left = new Set<string>();
  readonly #storedAt = new Map<string, number>();
  readonly #tokenOf = new Map<string, string>();
  readonly #provenAt = new Map<string, number>();
  readonly #mints = new Map<string, number>();
  readonly #excuses = new Map<string, number>();
  readonly #inHand = new Map<Invocation, string>();
  #lookedAt = 0;
  #labels: Record<string, string>;
  #versionBegun: string | undefined;

  constructor(subject: Subject, wire: () => Wire) {
    this.subject = subject;
    this.#wire = wire;
    this.#labels = { ...subject.managed.labels };
    const current = secretOf(subject, labelled(subject, 'AWSCURRENT'));
    if (current) this.#lastCurrent.set(current.id, time.now());
    const previous = secretOf(subject, labelled(subject, 'AWSPREVIOUS'));
    if (previous) this.#lastCurrent.set(previous.id, subject.managed.rotation?.lastAt ?? time.now());
    for (const { id, text } of subject.managed.versions) if (text !== undefined) this.#storedAt.set(id, 0);
    this.#versionBegun = labelled(subject, 'AWSCURRENT');
    const replaced = labelled(subject, 'AWSPREVIOUS');
    if (replaced !== undefined) this.#left.add(replaced);
  }

  unmark(): void {
    for (const label of ['AWSCURRENT', 'AWSPENDING']) this.unmarked.add(labelled(this.subject, label) ?? '');
  }

  say(rule: string, what: string): void {
    // Who moves AWSCURRENT back by its label has been told not to: then only what needs no label still holds.
    if (this.isForbidden && !WITHOUT_LABELS.has(rule)) return;
    if (this.violations.some((known) => known.rule === rule && known.what === what)) return;
    this.violations.push({ rule, what, at: this.#wire().count });
  }

  met({ operation }: Request<unknown>, code: string, who: Invocation): void {
    const isInWindow = MINT.test(operation) || operation === 'PutSecretValue' || this.#inHand.has(who);
    // A rotation starts over for many reasons; only what happens between mint and store may cost another mint.
    if (isInWindow && !code.startsWith('u')) this.#excuse(who.token);
  }

  timedOut(who: Invocation): void {
    if (this.#inHand.has(who)) this.#excuse(who.token);
  }

  #excuse(token: string | undefined): void {
    if (token !== undefined) this.#excuses.set(token, (this.#excuses.get(token) ?? 0) + 1);
  }

  before({ operation, input }: Request<unknown>, who: Invocation | undefined): void {
    if (!who) return;
    if (REMOVE.test(operation)) this.#beforeDelete(input as Asked);
    if (MINT.test(operation)) {
      const { secrets } = this.subject.account;
      if (secrets.length >= 2 && !this.#wire().wasConcurrent)
        this.say('I3', 'a secret was asked for while there were two');
    }
  }

  #beforeDelete({ headers, params }: Asked): void {
    const subject = this.subject;
    const id = params['secretId'] ?? '';
    const secret = subject.account.secrets.find((one) => one.id === id);
    if (!secret) return;
    for (const label of ['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS']) {
      if (secretOf(subject, labelled(subject, label)) === secret)
        this.say('I4', `a delete of the secret behind ${label} was carried out`);
    }
    if (subject.foreign.has(id)) this.say('I4', 'a delete of a foreign secret was carried out');
    const bearer = headers['authorization']?.replace(/^Bearer /, '');
    if (bearer !== undefined && this.#tokenOf.get(bearer) === secret.value)
      this.say('I4', 'a delete of the secret behind its own token was carried out');
    const since = this.#lastCurrent.get(id);
    // The grace of a replaced secret never costs the current one its life: without room there is no successor.
    const current = secretOf(subject, labelled(subject, 'AWSCURRENT'));
    const isPressed = current !== undefined && current.expiresAt.getTime() - time.now() <= 24 * HOUR;
    if (since !== undefined && time.now() < since + GRACE_MS && isAlive(secret) && !isPressed && !this.isUrgent)
      this.say('I2', 'a replaced secret was deleted inside its grace');
    const copied = subject.copy?.versions.find(({ id: version }) => version === subject.copy?.labels['AWSCURRENT']);
    if (isAlive(secret) && storedIn(copied?.text)?.clientSecret === secret.value && !isPressed && !this.isUrgent)
      this.say('I13', 'a secret was deleted that a copy still holds');
  }

  after({ service, operation, input, isWrite }: Request<unknown>, answer: unknown, who: Invocation | undefined): void {
    const isAtlas = service === 'atlas';
    const status = isAtlas ? (answer as AtlasAnswer).status : ((answer as AwsAnswer).error?.status ?? 200);
    if (isAtlas) this.#afterAtlas(operation, input as Asked, answer as AtlasAnswer, who);
    if (who?.isDry && status < 300 && this.#isWrite(operation)) this.say('I11', `a dry run carried out ${operation}`);
    if (operation === 'PutEvents' && SECRET_TEXT.test(JSON.stringify(input)))
      this.say('I10', 'an event holds a secret');
    if (operation === 'PutSecretValue' && status === 200 && who) {
      this.#inHand.delete(who);
      this.#afterStore(who);
    }
    // Reads change nothing; time does, and whatever waits looks by itself.
    if (isWrite || time.now() !== this.#lookedAt) this.look(who);
  }

  #isWrite = (operation: string): boolean =>
    !/^(get|list|Get|List|Describe|GenerateDataKey|mintToken|revokeToken)/.test(operation);

  #afterAtlas(operation: string, { headers }: Asked, answer: AtlasAnswer, who: Invocation | undefined): void {
    this.atlasCalls += 1;
    if (answer.status >= 300) return;
    const { authorization } = headers;
    if (operation === 'mintToken') {
      this.tokens += 1;
      this.#tokenOf.set((JSON.parse(answer.text) as { access_token: string }).access_token, secretIn(authorization));
      return;
    }
    const behind = this.#tokenOf.get(authorization?.replace(/^Bearer /, '') ?? '');
    if (behind !== undefined) this.#provenAt.set(behind, this.#wire().count);
    if (!MINT.test(operation)) return;
    this.mints += 1;
    const token = who?.token ?? 'nobody';
    const mints = (this.#mints.get(token) ?? 0) + 1;
    this.#mints.set(token, mints);
    if (who) this.#inHand.set(who, token);
    const allowed = 1 + (this.#excuses.get(token) ?? 0);
    if (mints > allowed && !this.isOperatorAtWork)
      this.say('I6', `${mints} mints for one rotation, after ${allowed - 1} faults from the mint to the store`);
  }

  #afterStore(who: Invocation): void {
    const subject = this.subject;
    for (const { id, text } of subject.managed.versions) {
      if (text === undefined || this.#storedAt.has(id)) continue;
      this.#storedAt.set(id, this.#wire().count);
      const [value, current] = [versionValue(subject, id), versionValue(subject, labelled(subject, 'AWSCURRENT'))];
      if (who.isDry || !value || !current) continue;
      if (value.clientId !== current.clientId || value.orgId !== current.orgId || value.groupId !== current.groupId)
        this.say('I9', 'a value of another account was stored');
    }
  }

  /** What must hold at every moment, whoever did what. */
  look(who: Invocation | undefined): void {
    const subject = this.subject;
    const { account, managed } = subject;
    this.#lookedAt = time.now();
    this.#seeLabels(who);
    const current = secretOf(subject, managed.labels['AWSCURRENT']);
    if (current) this.#lastCurrent.set(current.id, time.now());
    if (!isAlive(current) && !this.#isExcused()) this.say('I1', 'the current value works no more');
    if (account.secrets.length > 2) this.say('I3', 'the account has more than two secrets');
    if (unreferenced(subject).length > 1) this.say('I5', 'more than one secret of ours is held by nobody');
    this.states.add(stateOf(subject));
  }

  #isExcused(): boolean {
    const value = versionValue(this.subject, labelled(this.subject, 'AWSCURRENT'));
    return this.isForbidden || (value?.secretId !== undefined && this.takenAway.has(value.secretId));
  }

  #seeLabels(who: Invocation | undefined): void {
    const { managed } = this.subject;
    const [before, now] = [this.#labels, managed.labels];
    const [was, is] = [before['AWSCURRENT'], now['AWSCURRENT']];
    if (was !== is && is !== undefined) this.#seePromotion(was, is, who);
    const pending = before['AWSPENDING'];
    if (who && was === is && pending !== undefined && now['AWSPENDING'] === undefined && pending !== is) {
      const isOurs = this.#versionBegun === is;
      if (isAlive(secretOf(this.subject, pending)) && isOurs && !this.isOperatorAtWork)
        this.say('I14', 'a stored value that works was given up');
    }
    if (now['AWSPENDING'] !== pending && now['AWSPENDING'] !== undefined) this.#versionBegun = is;
    this.#labels = { ...now };
  }

  #seePromotion(was: string | undefined, is: string, who: Invocation | undefined): void {
    if (was !== undefined) this.#left.add(was);
    if (!who) return;
    this.promoted.push(is);
    const value = versionValue(this.subject, is);
    const isRestored = [...this.#left].some(
      (id) => versionValue(this.subject, id)?.clientSecret === value?.clientSecret,
    );
    const storedAt = this.#storedAt.get(is) ?? this.#wire().count;
    const provenAt = value ? this.#provenAt.get(value.clientSecret) : undefined;
    if (!isRestored && !(provenAt !== undefined && provenAt > storedAt))
      this.say('I7', 'a version was promoted whose stored bytes were not proven');
    if (this.#left.has(is) && !this.isForbidden) this.say('I8', 'AWSCURRENT went back to a version it had left');
  }

  /** Log lines, errors: everything that leaves the process as text. */
  heard(text: string): void {
    if (SECRET_TEXT.test(text)) this.say('I10', 'a secret stands in a log or an error');
  }
}
