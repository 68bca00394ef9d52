/** The part of Linear's schema that is served here. Source: github.com/linear/linear, packages/sdk/src/schema.graphql */
export const SCHEMA = `
scalar DateTime
scalar JSON
enum IssueRelationType { blocks duplicate related similar }
type User { id: ID! name: String! displayName: String! }
type WorkflowState { id: ID! name: String! type: String! position: Float! }
type WorkflowStateConnection { nodes: [WorkflowState!]! }
type Team { id: ID! key: String! name: String! states(first: Int): WorkflowStateConnection! }
type Issue {
  id: ID! identifier: String! url: String! title: String! description: String priority: Float!
  createdAt: DateTime! updatedAt: DateTime! archivedAt: DateTime trashed: Boolean
  state: WorkflowState! team: Team! assignee: User
}
type Comment { id: ID! body: String! }
type IssueRelation { id: ID! type: String! }
type IssuePayload { success: Boolean! issue: Issue }
type CommentPayload { success: Boolean! comment: Comment! }
type IssueRelationPayload { success: Boolean! issueRelation: IssueRelation! }
input IssueCreateInput {
  id: String teamId: String! title: String description: String priority: Int labelIds: [String!] stateId: String assigneeId: String
}
input IssueUpdateInput { title: String description: String priority: Int stateId: String assigneeId: String labelIds: [String!] }
input CommentCreateInput { id: String issueId: String body: String }
input IssueRelationCreateInput { id: String issueId: String! relatedIssueId: String! type: IssueRelationType! }
type Query {
  issue(id: String!): Issue!
  comment(id: String): Comment!
  issueRelation(id: String!): IssueRelation!
  team(id: String!): Team!
}
type Mutation {
  issueCreate(input: IssueCreateInput!): IssuePayload!
  issueUpdate(id: String!, input: IssueUpdateInput!): IssuePayload!
  commentCreate(input: CommentCreateInput!): CommentPayload!
  issueRelationCreate(input: IssueRelationCreateInput!): IssueRelationPayload!
}
`;
