import * as z from 'zod';
import type { Deadline } from '../../runtime/deadline.ts';
import type { TicketServices } from '../create-tickets.ts';
import { authorization, secretText } from '../credentials.ts';
import type { DestinationOf } from '../destination.ts';
import { differs, digest, uuidOf } from '../digest.ts';
import { TicketError, TicketFieldRefused, TicketOutcomeUnknown, TicketRejected, TicketSystemBusy } from '../errors.ts';
import { askedMs, createHttp, type Reply } from '../http.ts';
import { titleOf } from '../render/inert.ts';
import { toMarkdown } from '../render/markdown.ts';
import { link, paragraph } from '../text.ts';
import type { Note, TicketChange, TicketDraft, TicketRef, TicketState, Tickets } from '../tickets.ts';
import { bodyOf, gone, isLeftOut, unchangeable, unlessGone, withDefaults } from './common.ts';

const TITLE_LIMIT = 255;
const BODY_LIMIT = 65_000;

const Issue = z.object({
  id: z.string(),
  identifier: z.string(),
  url: z.string(),
  title: z.string(),
  description: z.string().nullish(),
  priority: z.number(),
  updatedAt: z.string(),
  trashed: z.boolean().nullish(),
  state: z.object({ id: z.string(), name: z.string(), type: z.string() }),
  team: z.object({ id: z.string(), key: z.string() }),
  assignee: z.object({ id: z.string(), name: z.string() }).nullish(),
});
type Issue = z.output<typeof Issue>;
const ISSUE =
  'id identifier url title description priority updatedAt trashed state { id name type } team { id key } assignee { id name }';

const Failure = z.object({
  errors: z
    .array(
      z.object({
        message: z.string().default(''),
        extensions: z
          .looseObject({
            code: z.string().nullish(),
            type: z.string().nullish(),
            userPresentableMessage: z.string().nullish(),
          })
          .default({}),
      }),
    )
    .min(1),
});

/**
 * Linear, by GraphQL. A ticket's id is made of its incident, so that a second one can't be made.
 * Source: https://linear.app/developers/graphql
 */
export function createLinear(destination: DestinationOf<'linear'>, services: TicketServices): Tickets {
  const { credentials, transport, clock } = withDefaults(services);

  /** Linear's errors come with status 200 or 400 alike: what counts is what they say. */
  function judge(reply: Reply, call: { operation: string; repeat: string }, facts: Readonly<Record<string, unknown>>) {
    const parsed = Failure.safeParse(reply.json);
    if (!parsed.success) return undefined;
    const said = parsed.data.errors
      .map(
        ({ message, extensions }) =>
          `${extensions.code ?? ''} ${extensions.type ?? ''} ${message} ${extensions.userPresentableMessage ?? ''}`,
      )
      .join(' ');
    const kind = { ...facts, code: parsed.data.errors[0]?.extensions.code ?? undefined };
    if (reply.status === 429 || /ratelimited|rate limit/i.test(said)) {
      const reset = Number(reply.headers['x-ratelimit-requests-reset']) - clock.now().getTime();
      const retryAfterMs = askedMs(reply, clock.now()) ?? (reset > 0 ? reset : 60_000);
      return new TicketSystemBusy(`linear limits ${call.operation}`, kind, { retryAfterMs });
    }
    if (/authentication/i.test(said)) return new TicketRejected('linear refused the credentials', kind, 'credentials');
    if (/forbidden/i.test(said))
      return new TicketRejected(`linear does not allow ${call.operation}`, kind, 'forbidden');
    if (/entity not found|could not find referenced/i.test(said)) {
      const place = call.operation === 'createIssue' && /team/i.test(said);
      if (call.operation === 'createIssue' && /label/i.test(said))
        return new TicketFieldRefused('linear refused labelIds', kind, ['labelIds']);
      return new TicketRejected(
        `linear knows nothing of it: ${call.operation}`,
        kind,
        place ? 'no-such-place' : 'gone',
      );
    }
    if (/internal|lock timeout/i.test(said) || reply.status >= 500) {
      if (call.repeat === 'never') return new TicketOutcomeUnknown(`linear failed ${call.operation}`, kind);
      return undefined;
    }
    // What stands before Linear answers with statuses of its own.
    if (reply.status !== 200 && reply.status !== 400) return undefined;
    return new TicketRejected(`linear refused ${call.operation}`, kind, 'invalid');
  }

  const http = createHttp({
    system: 'linear',
    baseUrl: destination.baseUrl,
    transport,
    clock,
    judge,
    authorize: authorization(credentials, destination.secret, (value) => {
      const token = secretText(destination.secret, value);
      return { authorization: token.startsWith('lin_api_') ? token : `Bearer ${token}` };
    }),
  });

  async function ask<Shape extends z.ZodType>(
    shape: Shape,
    operation: string,
    query: string,
    variables: object,
    deadline: Deadline,
    repeat: 'safe' | 'never' = 'safe',
  ): Promise<z.output<Shape>> {
    const call = {
      operation,
      method: 'POST',
      path: '/graphql',
      json: { query, variables },
      repeat,
      ...(repeat === 'never' && { missing: 'place' as const }),
    } as const;
    return http.read(
      z
        .object({ data: z.unknown().optional() })
        .transform(({ data }) => data)
        .pipe(shape),
      call,
      deadline,
    );
  }

  const get = async (id: string, deadline: Deadline): Promise<Issue | undefined> => {
    const query = `query Issue($id: String!) { issue(id: $id) { ${ISSUE} } }`;
    const Data = z.object({ issue: Issue.nullish() });
    const answer = await unlessGone(() => ask(Data, 'getIssue', query, { id }, deadline));
    return answer?.issue ?? undefined;
  };

  const refOf = (issue: Issue): TicketRef => ({
    id: issue.id,
    key: issue.identifier,
    url: issue.url,
    place: issue.team.id,
  });

  async function mutate(operation: string, query: string, variables: object, deadline: Deadline): Promise<void> {
    await ask(z.unknown(), operation, query, variables, deadline);
  }

  const updateIssue = (id: string, input: object, deadline: Deadline): Promise<void> =>
    mutate(
      'updateIssue',
      'mutation Update($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }',
      { id, input },
      deadline,
    );

  /** The first state of one of these types, in the team the issue is in now. */
  async function stateOf(issue: Issue, types: readonly string[], deadline: Deadline): Promise<string | undefined> {
    const query = 'query States($id: String!) { team(id: $id) { states { nodes { id type position } } } }';
    const Node = z.object({ id: z.string(), type: z.string(), position: z.number() });
    const Data = z.object({ team: z.object({ states: z.object({ nodes: z.array(Node) }) }) });
    const { team } = await ask(Data, 'listStates', query, { id: issue.team.id }, deadline);
    const states = team.states.nodes.toSorted((a, b) => a.position - b.position);
    return types.flatMap((type) => states.filter((state) => state.type === type))[0]?.id;
  }

  /** Makes something with an id of its own. That it is there already is what a repeat hears. */
  async function createOnce(
    operation: string,
    query: string,
    input: object,
    exists: () => Promise<boolean>,
    repeated: boolean,
    deadline: Deadline,
  ): Promise<void> {
    if (repeated && (await exists())) return;
    await mutate(operation, query, { input }, deadline);
  }

  async function comment(ref: TicketRef, { marker, text, repeated }: Note, deadline: Deadline): Promise<void> {
    const id = uuidOf(marker);
    await createOnce(
      'createComment',
      'mutation Comment($input: CommentCreateInput!) { commentCreate(input: $input) { success } }',
      { id, issueId: ref.id, body: toMarkdown(text, BODY_LIMIT) },
      async () => {
        const query = 'query Comment($id: String!) { comment(id: $id) { id } }';
        const Data = z.object({ comment: z.object({ id: z.string() }).nullish() });
        const found = await unlessGone(() => ask(Data, 'getComment', query, { id }, deadline));
        return found?.comment?.id === id;
      },
      repeated,
      deadline,
    );
  }

  const isClosed = (issue: Issue): boolean => ['completed', 'canceled', 'duplicate'].includes(issue.state.type);

  return {
    traits: {
      reopens: true,
      repeatable: true,
      comments: true,
      updates: true,
      reads: true,
      indexLagMs: 0,
      titleLimit: TITLE_LIMIT,
      bodyLimit: BODY_LIMIT,
      // A leaky bucket of thousands of requests an hour and user, shared with everything that user does.
      budget: { writesPerMinute: 60, writesPerHour: 1_000 },
    },

    written: ({ title, body, severity }) => ({
      ...(title !== undefined && { title: digest(titleOf(title, TITLE_LIMIT)) }),
      ...(body !== undefined && { body: digest(toMarkdown(body, BODY_LIMIT)) }),
      ...(severity !== undefined && { severity: digest(destination.priorities[severity]) }),
    }),

    async open(draft: TicketDraft, deadline) {
      const id = uuidOf(draft.incident);
      const follows = draft.follows ? [paragraph('Follows ', link(draft.follows.key, draft.follows.url), '.')] : [];
      const Data = z.object({ issueCreate: z.object({ success: z.boolean(), issue: Issue }) });
      const query = `mutation Open($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { ${ISSUE} } } }`;
      const input = {
        id,
        teamId: destination.teamId,
        title: titleOf(draft.title, TITLE_LIMIT),
        description: toMarkdown([...bodyOf(draft), ...follows], BODY_LIMIT),
        priority: Number(destination.priorities[draft.severity]),
        ...(destination.labelIds.length > 0 && !isLeftOut(draft, 'labelIds') && { labelIds: destination.labelIds }),
      };
      try {
        return refOf((await ask(Data, 'createIssue', query, { input }, deadline, 'never')).issueCreate.issue);
      } catch (error) {
        // That an id is taken is refused like any other bad input: whether it is ours is for the issue to say.
        if (!(error instanceof TicketError) || error.reaction !== 'dead-letter') throw error;
        const issue = await get(id, deadline);
        if (!issue) throw error;
        return refOf(issue);
      }
    },

    async find(incident, _, deadline) {
      const issue = await get(uuidOf(incident), deadline);
      return issue ? { kind: 'found', tickets: [refOf(issue)] } : { kind: 'absent' };
    },

    async read(ref, written, deadline): Promise<TicketState> {
      const issue = await get(ref.id, deadline);
      if (!issue || issue.trashed === true) return gone(ref);
      const closed = isClosed(issue);
      const who = issue.assignee && issue.assignee.id !== destination.actor ? issue.assignee : undefined;
      return {
        ref: refOf(issue),
        status: closed ? 'closed' : 'open',
        moved: issue.identifier !== ref.key,
        resolution: closed ? issue.state.name : undefined,
        wontFix: issue.state.type === 'canceled',
        reopenable: closed,
        acknowledged: who !== undefined || issue.state.type === 'started',
        assignee: who?.name,
        edited: {
          title: differs(written.title, issue.title),
          body: differs(written.body, issue.description ?? ''),
          severity: differs(written.severity, String(issue.priority)),
        },
        version: issue.updatedAt,
      };
    },

    comment,

    async update(ref, { title, body, severity }: TicketChange, deadline) {
      await updateIssue(
        ref.id,
        {
          ...(title !== undefined && { title: titleOf(title, TITLE_LIMIT) }),
          ...(body !== undefined && { description: toMarkdown(body, BODY_LIMIT) }),
          ...(severity !== undefined && { priority: Number(destination.priorities[severity]) }),
        },
        deadline,
      );
    },

    async close(ref, closing, deadline) {
      await comment(ref, closing, deadline);
      const issue = await get(ref.id, deadline);
      if (!issue || isClosed(issue)) return;
      const types = closing.resolution === 'duplicate' ? ['duplicate', 'canceled', 'completed'] : ['completed'];
      const stateId = await stateOf(issue, types, deadline);
      if (stateId === undefined) throw unchangeable('linear', 'close', 'the team has no completed state');
      await updateIssue(ref.id, { stateId }, deadline);
    },

    async reopen(ref, note, deadline) {
      const issue = await get(ref.id, deadline);
      if (issue && isClosed(issue)) {
        const stateId = await stateOf(issue, ['unstarted', 'triage', 'backlog', 'started'], deadline);
        if (stateId === undefined) throw unchangeable('linear', 'reopen', 'the team has no open state');
        await updateIssue(ref.id, { stateId }, deadline);
      }
      await comment(ref, note, deadline);
    },

    async link(from, to, relation, note, deadline) {
      const id = uuidOf(`${from.id} ${relation} ${to.id}`);
      await createOnce(
        'createRelation',
        'mutation Link($input: IssueRelationCreateInput!) { issueRelationCreate(input: $input) { success } }',
        { id, issueId: from.id, relatedIssueId: to.id, type: relation === 'duplicates' ? 'duplicate' : 'related' },
        async () => {
          const query = 'query Relation($id: String!) { issueRelation(id: $id) { id } }';
          const Data = z.object({ issueRelation: z.object({ id: z.string() }).nullish() });
          const found = await unlessGone(() => ask(Data, 'getRelation', query, { id }, deadline));
          return found?.issueRelation?.id === id;
        },
        true,
        deadline,
      );
      if (note.text.length > 0) await comment(from, note, deadline);
    },
  };
}
