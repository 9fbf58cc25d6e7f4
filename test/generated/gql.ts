/* eslint-disable */
import * as types from './graphql.js';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "mutation AcceptInvitation($input: AcceptInvitationInput!) {\n  acceptInvitation(input: $input) {\n    __typename\n    ... on AcceptInvitationPayload {\n      accountId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.AcceptInvitationDocument,
    "query AccountAuditLog($first: Int = 20, $after: String) {\n  me {\n    account {\n      auditLog(first: $first, after: $after) {\n        nodes {\n          id\n          at\n          action\n          actor\n          subject\n          reason\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}": typeof types.AccountAuditLogDocument,
    "query AuditLog($first: Int = 20, $after: String, $filter: AuditFilter) {\n  operator {\n    auditLog(first: $first, after: $after, filter: $filter) {\n      nodes {\n        id\n        at\n        action\n        actor\n        accountId\n        subject\n        reason\n        address\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}": typeof types.AuditLogDocument,
    "mutation ChangeEmail($input: ChangeEmailInput!) {\n  changeEmail(input: $input) {\n    __typename\n    ... on ChangeEmailPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.ChangeEmailDocument,
    "mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {\n  changeMemberRole(input: $input) {\n    __typename\n    ... on ChangeMemberRolePayload {\n      userId\n      role\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.ChangeMemberRoleDocument,
    "mutation ChangePassword($input: ChangePasswordInput!) {\n  changePassword(input: $input) {\n    __typename\n    ... on ChangePasswordPayload {\n      sessionToken\n      refreshToken\n      expiresAt\n      secretNotice\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.ChangePasswordDocument,
    "mutation ConfirmEmailChange($input: ConfirmEmailChangeInput!) {\n  confirmEmailChange(input: $input) {\n    __typename\n    ... on ConfirmEmailChangePayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.ConfirmEmailChangeDocument,
    "mutation DeleteAccount($input: DeleteAccountInput!) {\n  deleteAccount(input: $input) {\n    __typename\n    ... on DeleteAccountPayload {\n      id\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.DeleteAccountDocument,
    "mutation GrantOperator($input: GrantOperatorInput!) {\n  grantOperator(input: $input) {\n    __typename\n    ... on GrantOperatorPayload {\n      userId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.GrantOperatorDocument,
    "mutation GrantPlan($input: GrantPlanInput!) {\n  grantPlan(input: $input) {\n    __typename\n    ... on GrantPlanPayload {\n      accountId\n      plan {\n        id\n      }\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.GrantPlanDocument,
    "query Invitations($first: Int, $after: String) {\n  me {\n    account {\n      id\n      invitations(first: $first, after: $after) {\n        nodes {\n          id\n          email\n          role\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}": typeof types.InvitationsDocument,
    "mutation InviteMember($input: InviteMemberInput!) {\n  inviteMember(input: $input) {\n    __typename\n    ... on InviteMemberPayload {\n      invitation {\n        id\n        email\n        role\n        invitedAt\n        expiresAt\n      }\n      position\n    }\n    ... on PlanRequired {\n      plan {\n        id\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.InviteMemberDocument,
    "mutation IssueKey($input: IssueKeyInput!) {\n  issueKey(input: $input) {\n    __typename\n    ... on IssueKeyPayload {\n      secret\n      secretNotice\n      position\n      key {\n        id\n        name\n        environment\n        scopes\n        prefix\n        last4\n        issuedAt\n        expiresAt\n        rotatedAt\n        graceEndsAt\n        limits {\n          meter\n          window\n          max\n        }\n        metadata {\n          name\n          value\n        }\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on InvalidInput {\n      issues {\n        path\n        code\n        message\n      }\n    }\n  }\n}": typeof types.IssueKeyDocument,
    "query Keys($first: Int! = 20, $after: String) {\n  me {\n    account {\n      id\n      keys(first: $first, after: $after) {\n        nodes {\n          id\n          name\n          environment\n          scopes\n          prefix\n          last4\n          issuedAt\n          expiresAt\n          rotatedAt\n          graceEndsAt\n          limits {\n            meter\n            window\n            max\n          }\n          metadata {\n            name\n            value\n          }\n          revokedAt\n          lastUsedAt\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}": typeof types.KeysDocument,
    "mutation LeaveTeam($input: LeaveTeamInput!) {\n  leaveTeam(input: $input) {\n    __typename\n    ... on LeaveTeamPayload {\n      accountId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.LeaveTeamDocument,
    "query Limits($accountId: ID) {\n  account(id: $accountId) {\n    id\n    plan {\n      id\n    }\n    limits {\n      name\n      meter\n      window\n      source\n      mode\n      max\n      used\n      remaining\n      resetAt\n    }\n  }\n}": typeof types.LimitsDocument,
    "query Me {\n  me {\n    account {\n      id\n      plan {\n        id\n        name\n        tiers\n        features {\n          name\n          value\n        }\n      }\n    }\n    user {\n      id\n      email\n      emailVerified\n      name\n    }\n  }\n}": typeof types.MeDocument,
    "query Members($first: Int, $after: String) {\n  me {\n    account {\n      id\n      members(first: $first, after: $after) {\n        nodes {\n          userId\n          role\n          firstOwner\n          user {\n            id\n            email\n            name\n          }\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}": typeof types.MembersDocument,
    "query MyAccounts($first: Int, $after: String) {\n  me {\n    role\n    accounts(first: $first, after: $after) {\n      nodes {\n        accountId\n        role\n        owner {\n          id\n          name\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}": typeof types.MyAccountsDocument,
    "query OperatorAccount($id: ID!, $first: Int = 20, $after: String, $filter: AuditFilter) {\n  operator {\n    account(id: $id) {\n      id\n      plan {\n        id\n      }\n      auditLog(first: $first, after: $after, filter: $filter) {\n        nodes {\n          id\n          at\n          action\n          actor\n          accountId\n          subject\n          reason\n          address\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}": typeof types.OperatorAccountDocument,
    "query OperatorAccounts($first: Int = 20, $after: String, $filter: AccountFilter) {\n  operator {\n    accounts(first: $first, after: $after, filter: $filter) {\n      nodes {\n        id\n        plan {\n          id\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}": typeof types.OperatorAccountsDocument,
    "query Pattern($id: ID, $slug: String) {\n  pattern(id: $id, slug: $slug) {\n    __typename\n    ... on Pattern {\n      id\n      slug\n      name\n      category\n      tier\n      tags\n      description\n      uses\n      example {\n        language\n        text\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on PlanRequired {\n      plan {\n        id\n      }\n    }\n  }\n}": typeof types.PatternDocument,
    "query Patterns($first: Int! = 20, $after: String, $category: String) {\n  patterns(first: $first, after: $after, category: $category) {\n    totalCount\n    nodes {\n      id\n      slug\n      name\n      category\n      tier\n      uses\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}": typeof types.PatternsDocument,
    "mutation RefreshSession($input: RefreshSessionInput!) {\n  refreshSession(input: $input) {\n    __typename\n    ... on RefreshSessionPayload {\n      sessionToken\n      refreshToken\n      expiresAt\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.RefreshSessionDocument,
    "mutation RegisterUser($input: RegisterUserInput!) {\n  registerUser(input: $input) {\n    __typename\n    ... on RegisterUserPayload {\n      sessionToken\n      refreshToken\n      position\n      user {\n        id\n        email\n        name\n        registeredAt\n      }\n      account {\n        id\n        plan {\n          id\n        }\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on InvalidInput {\n      issues {\n        path\n        code\n        message\n      }\n    }\n  }\n}": typeof types.RegisterUserDocument,
    "mutation RemoveMember($input: RemoveMemberInput!) {\n  removeMember(input: $input) {\n    __typename\n    ... on RemoveMemberPayload {\n      userId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.RemoveMemberDocument,
    "mutation RequestPasswordReset($input: RequestPasswordResetInput!) {\n  requestPasswordReset(input: $input) {\n    __typename\n    ... on RequestPasswordResetPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.RequestPasswordResetDocument,
    "mutation ResetPassword($input: ResetPasswordInput!) {\n  resetPassword(input: $input) {\n    __typename\n    ... on ResetPasswordPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.ResetPasswordDocument,
    "mutation RevokeKeyAsOperator($input: RevokeKeyAsOperatorInput!) {\n  revokeKeyAsOperator(input: $input) {\n    __typename\n    ... on RevokeKeyAsOperatorPayload {\n      id\n      accountId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.RevokeKeyAsOperatorDocument,
    "mutation RevokeKey($input: RevokeKeyInput!) {\n  revokeKey(input: $input) {\n    __typename\n    ... on RevokeKeyPayload {\n      id\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.RevokeKeyDocument,
    "mutation RevokeOperator($input: RevokeOperatorInput!) {\n  revokeOperator(input: $input) {\n    __typename\n    ... on RevokeOperatorPayload {\n      userId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.RevokeOperatorDocument,
    "mutation RotateKey($input: RotateKeyInput!) {\n  rotateKey(input: $input) {\n    __typename\n    ... on RotateKeyPayload {\n      secret\n      secretNotice\n      position\n      key {\n        id\n        name\n        environment\n        scopes\n        prefix\n        last4\n        issuedAt\n        expiresAt\n        rotatedAt\n        graceEndsAt\n        limits {\n          meter\n          window\n          max\n        }\n        metadata {\n          name\n          value\n        }\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on InvalidInput {\n      issues {\n        path\n        code\n        message\n      }\n    }\n  }\n}": typeof types.RotateKeyDocument,
    "query SearchPatterns($query: String!, $first: Int! = 10, $category: String) {\n  searchPatterns(query: $query, first: $first, category: $category) {\n    degraded\n    hits {\n      score\n      similarityScore\n      ranks {\n        text\n        name\n        meaning\n      }\n      pattern {\n        id\n        slug\n        name\n        tier\n      }\n    }\n  }\n}": typeof types.SearchPatternsDocument,
    "mutation SignIn($input: SignInInput!) {\n  signIn(input: $input) {\n    __typename\n    ... on SignInPayload {\n      sessionToken\n      refreshToken\n      expiresAt\n      secretNotice\n      position\n      user {\n        id\n        email\n        name\n      }\n      account {\n        id\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on SignInRefused {\n      retryAfterSeconds\n    }\n  }\n}": typeof types.SignInDocument,
    "mutation SignOutEverywhere($input: SignOutEverywhereInput!) {\n  signOutEverywhere(input: $input) {\n    __typename\n    ... on SignOutEverywherePayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.SignOutEverywhereDocument,
    "mutation SignOut($input: SignOutInput!) {\n  signOut(input: $input) {\n    __typename\n    ... on SignOutPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.SignOutDocument,
    "mutation UpdateProfile($input: UpdateProfileInput!) {\n  updateProfile(input: $input) {\n    __typename\n    ... on UpdateProfilePayload {\n      position\n      user {\n        id\n        name\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.UpdateProfileDocument,
    "subscription UsageChanged {\n  usageChanged {\n    position\n    at\n    totals {\n      meter\n      quantity\n    }\n    limits {\n      name\n      used\n      remaining\n      resetAt\n    }\n  }\n}": typeof types.UsageChangedDocument,
    "query Usage($accountId: ID, $from: DateTimeISO, $to: DateTimeISO, $interval: UsageInterval! = DAY, $atLeast: String) {\n  account(id: $accountId) {\n    id\n    usage(from: $from, to: $to, interval: $interval, atLeast: $atLeast) {\n      from\n      to\n      requests\n      stale\n      buckets {\n        start\n        requests\n        refused\n        errors\n        meanDurationMs\n      }\n      operations {\n        operation\n        requests\n      }\n    }\n  }\n}": typeof types.UsageDocument,
    "mutation VerifyEmail($input: VerifyEmailInput!) {\n  verifyEmail(input: $input) {\n    __typename\n    ... on VerifyEmailPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.VerifyEmailDocument,
    "mutation VerifyKey($input: VerifyKeyInput!) {\n  verifyKey(input: $input) {\n    __typename\n    ... on VerifiedKey {\n      valid\n      reason\n      retryAfter\n      keyId\n      accountId\n      environment\n      scopes\n      expiresAt\n      plan {\n        id\n        features {\n          name\n          value\n        }\n      }\n      limits {\n        name\n        meter\n        max\n        used\n        remaining\n        resetAt\n      }\n      useId\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.VerifyKeyDocument,
    "mutation WithdrawInvitation($input: WithdrawInvitationInput!) {\n  withdrawInvitation(input: $input) {\n    __typename\n    ... on WithdrawInvitationPayload {\n      id\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": typeof types.WithdrawInvitationDocument,
};
const documents: Documents = {
    "mutation AcceptInvitation($input: AcceptInvitationInput!) {\n  acceptInvitation(input: $input) {\n    __typename\n    ... on AcceptInvitationPayload {\n      accountId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.AcceptInvitationDocument,
    "query AccountAuditLog($first: Int = 20, $after: String) {\n  me {\n    account {\n      auditLog(first: $first, after: $after) {\n        nodes {\n          id\n          at\n          action\n          actor\n          subject\n          reason\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}": types.AccountAuditLogDocument,
    "query AuditLog($first: Int = 20, $after: String, $filter: AuditFilter) {\n  operator {\n    auditLog(first: $first, after: $after, filter: $filter) {\n      nodes {\n        id\n        at\n        action\n        actor\n        accountId\n        subject\n        reason\n        address\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}": types.AuditLogDocument,
    "mutation ChangeEmail($input: ChangeEmailInput!) {\n  changeEmail(input: $input) {\n    __typename\n    ... on ChangeEmailPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.ChangeEmailDocument,
    "mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {\n  changeMemberRole(input: $input) {\n    __typename\n    ... on ChangeMemberRolePayload {\n      userId\n      role\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.ChangeMemberRoleDocument,
    "mutation ChangePassword($input: ChangePasswordInput!) {\n  changePassword(input: $input) {\n    __typename\n    ... on ChangePasswordPayload {\n      sessionToken\n      refreshToken\n      expiresAt\n      secretNotice\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.ChangePasswordDocument,
    "mutation ConfirmEmailChange($input: ConfirmEmailChangeInput!) {\n  confirmEmailChange(input: $input) {\n    __typename\n    ... on ConfirmEmailChangePayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.ConfirmEmailChangeDocument,
    "mutation DeleteAccount($input: DeleteAccountInput!) {\n  deleteAccount(input: $input) {\n    __typename\n    ... on DeleteAccountPayload {\n      id\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.DeleteAccountDocument,
    "mutation GrantOperator($input: GrantOperatorInput!) {\n  grantOperator(input: $input) {\n    __typename\n    ... on GrantOperatorPayload {\n      userId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.GrantOperatorDocument,
    "mutation GrantPlan($input: GrantPlanInput!) {\n  grantPlan(input: $input) {\n    __typename\n    ... on GrantPlanPayload {\n      accountId\n      plan {\n        id\n      }\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.GrantPlanDocument,
    "query Invitations($first: Int, $after: String) {\n  me {\n    account {\n      id\n      invitations(first: $first, after: $after) {\n        nodes {\n          id\n          email\n          role\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}": types.InvitationsDocument,
    "mutation InviteMember($input: InviteMemberInput!) {\n  inviteMember(input: $input) {\n    __typename\n    ... on InviteMemberPayload {\n      invitation {\n        id\n        email\n        role\n        invitedAt\n        expiresAt\n      }\n      position\n    }\n    ... on PlanRequired {\n      plan {\n        id\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.InviteMemberDocument,
    "mutation IssueKey($input: IssueKeyInput!) {\n  issueKey(input: $input) {\n    __typename\n    ... on IssueKeyPayload {\n      secret\n      secretNotice\n      position\n      key {\n        id\n        name\n        environment\n        scopes\n        prefix\n        last4\n        issuedAt\n        expiresAt\n        rotatedAt\n        graceEndsAt\n        limits {\n          meter\n          window\n          max\n        }\n        metadata {\n          name\n          value\n        }\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on InvalidInput {\n      issues {\n        path\n        code\n        message\n      }\n    }\n  }\n}": types.IssueKeyDocument,
    "query Keys($first: Int! = 20, $after: String) {\n  me {\n    account {\n      id\n      keys(first: $first, after: $after) {\n        nodes {\n          id\n          name\n          environment\n          scopes\n          prefix\n          last4\n          issuedAt\n          expiresAt\n          rotatedAt\n          graceEndsAt\n          limits {\n            meter\n            window\n            max\n          }\n          metadata {\n            name\n            value\n          }\n          revokedAt\n          lastUsedAt\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}": types.KeysDocument,
    "mutation LeaveTeam($input: LeaveTeamInput!) {\n  leaveTeam(input: $input) {\n    __typename\n    ... on LeaveTeamPayload {\n      accountId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.LeaveTeamDocument,
    "query Limits($accountId: ID) {\n  account(id: $accountId) {\n    id\n    plan {\n      id\n    }\n    limits {\n      name\n      meter\n      window\n      source\n      mode\n      max\n      used\n      remaining\n      resetAt\n    }\n  }\n}": types.LimitsDocument,
    "query Me {\n  me {\n    account {\n      id\n      plan {\n        id\n        name\n        tiers\n        features {\n          name\n          value\n        }\n      }\n    }\n    user {\n      id\n      email\n      emailVerified\n      name\n    }\n  }\n}": types.MeDocument,
    "query Members($first: Int, $after: String) {\n  me {\n    account {\n      id\n      members(first: $first, after: $after) {\n        nodes {\n          userId\n          role\n          firstOwner\n          user {\n            id\n            email\n            name\n          }\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}": types.MembersDocument,
    "query MyAccounts($first: Int, $after: String) {\n  me {\n    role\n    accounts(first: $first, after: $after) {\n      nodes {\n        accountId\n        role\n        owner {\n          id\n          name\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}": types.MyAccountsDocument,
    "query OperatorAccount($id: ID!, $first: Int = 20, $after: String, $filter: AuditFilter) {\n  operator {\n    account(id: $id) {\n      id\n      plan {\n        id\n      }\n      auditLog(first: $first, after: $after, filter: $filter) {\n        nodes {\n          id\n          at\n          action\n          actor\n          accountId\n          subject\n          reason\n          address\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}": types.OperatorAccountDocument,
    "query OperatorAccounts($first: Int = 20, $after: String, $filter: AccountFilter) {\n  operator {\n    accounts(first: $first, after: $after, filter: $filter) {\n      nodes {\n        id\n        plan {\n          id\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}": types.OperatorAccountsDocument,
    "query Pattern($id: ID, $slug: String) {\n  pattern(id: $id, slug: $slug) {\n    __typename\n    ... on Pattern {\n      id\n      slug\n      name\n      category\n      tier\n      tags\n      description\n      uses\n      example {\n        language\n        text\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on PlanRequired {\n      plan {\n        id\n      }\n    }\n  }\n}": types.PatternDocument,
    "query Patterns($first: Int! = 20, $after: String, $category: String) {\n  patterns(first: $first, after: $after, category: $category) {\n    totalCount\n    nodes {\n      id\n      slug\n      name\n      category\n      tier\n      uses\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}": types.PatternsDocument,
    "mutation RefreshSession($input: RefreshSessionInput!) {\n  refreshSession(input: $input) {\n    __typename\n    ... on RefreshSessionPayload {\n      sessionToken\n      refreshToken\n      expiresAt\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.RefreshSessionDocument,
    "mutation RegisterUser($input: RegisterUserInput!) {\n  registerUser(input: $input) {\n    __typename\n    ... on RegisterUserPayload {\n      sessionToken\n      refreshToken\n      position\n      user {\n        id\n        email\n        name\n        registeredAt\n      }\n      account {\n        id\n        plan {\n          id\n        }\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on InvalidInput {\n      issues {\n        path\n        code\n        message\n      }\n    }\n  }\n}": types.RegisterUserDocument,
    "mutation RemoveMember($input: RemoveMemberInput!) {\n  removeMember(input: $input) {\n    __typename\n    ... on RemoveMemberPayload {\n      userId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.RemoveMemberDocument,
    "mutation RequestPasswordReset($input: RequestPasswordResetInput!) {\n  requestPasswordReset(input: $input) {\n    __typename\n    ... on RequestPasswordResetPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.RequestPasswordResetDocument,
    "mutation ResetPassword($input: ResetPasswordInput!) {\n  resetPassword(input: $input) {\n    __typename\n    ... on ResetPasswordPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.ResetPasswordDocument,
    "mutation RevokeKeyAsOperator($input: RevokeKeyAsOperatorInput!) {\n  revokeKeyAsOperator(input: $input) {\n    __typename\n    ... on RevokeKeyAsOperatorPayload {\n      id\n      accountId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.RevokeKeyAsOperatorDocument,
    "mutation RevokeKey($input: RevokeKeyInput!) {\n  revokeKey(input: $input) {\n    __typename\n    ... on RevokeKeyPayload {\n      id\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.RevokeKeyDocument,
    "mutation RevokeOperator($input: RevokeOperatorInput!) {\n  revokeOperator(input: $input) {\n    __typename\n    ... on RevokeOperatorPayload {\n      userId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.RevokeOperatorDocument,
    "mutation RotateKey($input: RotateKeyInput!) {\n  rotateKey(input: $input) {\n    __typename\n    ... on RotateKeyPayload {\n      secret\n      secretNotice\n      position\n      key {\n        id\n        name\n        environment\n        scopes\n        prefix\n        last4\n        issuedAt\n        expiresAt\n        rotatedAt\n        graceEndsAt\n        limits {\n          meter\n          window\n          max\n        }\n        metadata {\n          name\n          value\n        }\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on InvalidInput {\n      issues {\n        path\n        code\n        message\n      }\n    }\n  }\n}": types.RotateKeyDocument,
    "query SearchPatterns($query: String!, $first: Int! = 10, $category: String) {\n  searchPatterns(query: $query, first: $first, category: $category) {\n    degraded\n    hits {\n      score\n      similarityScore\n      ranks {\n        text\n        name\n        meaning\n      }\n      pattern {\n        id\n        slug\n        name\n        tier\n      }\n    }\n  }\n}": types.SearchPatternsDocument,
    "mutation SignIn($input: SignInInput!) {\n  signIn(input: $input) {\n    __typename\n    ... on SignInPayload {\n      sessionToken\n      refreshToken\n      expiresAt\n      secretNotice\n      position\n      user {\n        id\n        email\n        name\n      }\n      account {\n        id\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on SignInRefused {\n      retryAfterSeconds\n    }\n  }\n}": types.SignInDocument,
    "mutation SignOutEverywhere($input: SignOutEverywhereInput!) {\n  signOutEverywhere(input: $input) {\n    __typename\n    ... on SignOutEverywherePayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.SignOutEverywhereDocument,
    "mutation SignOut($input: SignOutInput!) {\n  signOut(input: $input) {\n    __typename\n    ... on SignOutPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.SignOutDocument,
    "mutation UpdateProfile($input: UpdateProfileInput!) {\n  updateProfile(input: $input) {\n    __typename\n    ... on UpdateProfilePayload {\n      position\n      user {\n        id\n        name\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.UpdateProfileDocument,
    "subscription UsageChanged {\n  usageChanged {\n    position\n    at\n    totals {\n      meter\n      quantity\n    }\n    limits {\n      name\n      used\n      remaining\n      resetAt\n    }\n  }\n}": types.UsageChangedDocument,
    "query Usage($accountId: ID, $from: DateTimeISO, $to: DateTimeISO, $interval: UsageInterval! = DAY, $atLeast: String) {\n  account(id: $accountId) {\n    id\n    usage(from: $from, to: $to, interval: $interval, atLeast: $atLeast) {\n      from\n      to\n      requests\n      stale\n      buckets {\n        start\n        requests\n        refused\n        errors\n        meanDurationMs\n      }\n      operations {\n        operation\n        requests\n      }\n    }\n  }\n}": types.UsageDocument,
    "mutation VerifyEmail($input: VerifyEmailInput!) {\n  verifyEmail(input: $input) {\n    __typename\n    ... on VerifyEmailPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.VerifyEmailDocument,
    "mutation VerifyKey($input: VerifyKeyInput!) {\n  verifyKey(input: $input) {\n    __typename\n    ... on VerifiedKey {\n      valid\n      reason\n      retryAfter\n      keyId\n      accountId\n      environment\n      scopes\n      expiresAt\n      plan {\n        id\n        features {\n          name\n          value\n        }\n      }\n      limits {\n        name\n        meter\n        max\n        used\n        remaining\n        resetAt\n      }\n      useId\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.VerifyKeyDocument,
    "mutation WithdrawInvitation($input: WithdrawInvitationInput!) {\n  withdrawInvitation(input: $input) {\n    __typename\n    ... on WithdrawInvitationPayload {\n      id\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}": types.WithdrawInvitationDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation AcceptInvitation($input: AcceptInvitationInput!) {\n  acceptInvitation(input: $input) {\n    __typename\n    ... on AcceptInvitationPayload {\n      accountId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').AcceptInvitationDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query AccountAuditLog($first: Int = 20, $after: String) {\n  me {\n    account {\n      auditLog(first: $first, after: $after) {\n        nodes {\n          id\n          at\n          action\n          actor\n          subject\n          reason\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}"): typeof import('./graphql.js').AccountAuditLogDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query AuditLog($first: Int = 20, $after: String, $filter: AuditFilter) {\n  operator {\n    auditLog(first: $first, after: $after, filter: $filter) {\n      nodes {\n        id\n        at\n        action\n        actor\n        accountId\n        subject\n        reason\n        address\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}"): typeof import('./graphql.js').AuditLogDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ChangeEmail($input: ChangeEmailInput!) {\n  changeEmail(input: $input) {\n    __typename\n    ... on ChangeEmailPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').ChangeEmailDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {\n  changeMemberRole(input: $input) {\n    __typename\n    ... on ChangeMemberRolePayload {\n      userId\n      role\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').ChangeMemberRoleDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ChangePassword($input: ChangePasswordInput!) {\n  changePassword(input: $input) {\n    __typename\n    ... on ChangePasswordPayload {\n      sessionToken\n      refreshToken\n      expiresAt\n      secretNotice\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').ChangePasswordDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ConfirmEmailChange($input: ConfirmEmailChangeInput!) {\n  confirmEmailChange(input: $input) {\n    __typename\n    ... on ConfirmEmailChangePayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').ConfirmEmailChangeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation DeleteAccount($input: DeleteAccountInput!) {\n  deleteAccount(input: $input) {\n    __typename\n    ... on DeleteAccountPayload {\n      id\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').DeleteAccountDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation GrantOperator($input: GrantOperatorInput!) {\n  grantOperator(input: $input) {\n    __typename\n    ... on GrantOperatorPayload {\n      userId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').GrantOperatorDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation GrantPlan($input: GrantPlanInput!) {\n  grantPlan(input: $input) {\n    __typename\n    ... on GrantPlanPayload {\n      accountId\n      plan {\n        id\n      }\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').GrantPlanDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Invitations($first: Int, $after: String) {\n  me {\n    account {\n      id\n      invitations(first: $first, after: $after) {\n        nodes {\n          id\n          email\n          role\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}"): typeof import('./graphql.js').InvitationsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation InviteMember($input: InviteMemberInput!) {\n  inviteMember(input: $input) {\n    __typename\n    ... on InviteMemberPayload {\n      invitation {\n        id\n        email\n        role\n        invitedAt\n        expiresAt\n      }\n      position\n    }\n    ... on PlanRequired {\n      plan {\n        id\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').InviteMemberDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation IssueKey($input: IssueKeyInput!) {\n  issueKey(input: $input) {\n    __typename\n    ... on IssueKeyPayload {\n      secret\n      secretNotice\n      position\n      key {\n        id\n        name\n        environment\n        scopes\n        prefix\n        last4\n        issuedAt\n        expiresAt\n        rotatedAt\n        graceEndsAt\n        limits {\n          meter\n          window\n          max\n        }\n        metadata {\n          name\n          value\n        }\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on InvalidInput {\n      issues {\n        path\n        code\n        message\n      }\n    }\n  }\n}"): typeof import('./graphql.js').IssueKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Keys($first: Int! = 20, $after: String) {\n  me {\n    account {\n      id\n      keys(first: $first, after: $after) {\n        nodes {\n          id\n          name\n          environment\n          scopes\n          prefix\n          last4\n          issuedAt\n          expiresAt\n          rotatedAt\n          graceEndsAt\n          limits {\n            meter\n            window\n            max\n          }\n          metadata {\n            name\n            value\n          }\n          revokedAt\n          lastUsedAt\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}"): typeof import('./graphql.js').KeysDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation LeaveTeam($input: LeaveTeamInput!) {\n  leaveTeam(input: $input) {\n    __typename\n    ... on LeaveTeamPayload {\n      accountId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').LeaveTeamDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Limits($accountId: ID) {\n  account(id: $accountId) {\n    id\n    plan {\n      id\n    }\n    limits {\n      name\n      meter\n      window\n      source\n      mode\n      max\n      used\n      remaining\n      resetAt\n    }\n  }\n}"): typeof import('./graphql.js').LimitsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Me {\n  me {\n    account {\n      id\n      plan {\n        id\n        name\n        tiers\n        features {\n          name\n          value\n        }\n      }\n    }\n    user {\n      id\n      email\n      emailVerified\n      name\n    }\n  }\n}"): typeof import('./graphql.js').MeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Members($first: Int, $after: String) {\n  me {\n    account {\n      id\n      members(first: $first, after: $after) {\n        nodes {\n          userId\n          role\n          firstOwner\n          user {\n            id\n            email\n            name\n          }\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}"): typeof import('./graphql.js').MembersDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query MyAccounts($first: Int, $after: String) {\n  me {\n    role\n    accounts(first: $first, after: $after) {\n      nodes {\n        accountId\n        role\n        owner {\n          id\n          name\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}"): typeof import('./graphql.js').MyAccountsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query OperatorAccount($id: ID!, $first: Int = 20, $after: String, $filter: AuditFilter) {\n  operator {\n    account(id: $id) {\n      id\n      plan {\n        id\n      }\n      auditLog(first: $first, after: $after, filter: $filter) {\n        nodes {\n          id\n          at\n          action\n          actor\n          accountId\n          subject\n          reason\n          address\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n}"): typeof import('./graphql.js').OperatorAccountDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query OperatorAccounts($first: Int = 20, $after: String, $filter: AccountFilter) {\n  operator {\n    accounts(first: $first, after: $after, filter: $filter) {\n      nodes {\n        id\n        plan {\n          id\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}"): typeof import('./graphql.js').OperatorAccountsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Pattern($id: ID, $slug: String) {\n  pattern(id: $id, slug: $slug) {\n    __typename\n    ... on Pattern {\n      id\n      slug\n      name\n      category\n      tier\n      tags\n      description\n      uses\n      example {\n        language\n        text\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on PlanRequired {\n      plan {\n        id\n      }\n    }\n  }\n}"): typeof import('./graphql.js').PatternDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Patterns($first: Int! = 20, $after: String, $category: String) {\n  patterns(first: $first, after: $after, category: $category) {\n    totalCount\n    nodes {\n      id\n      slug\n      name\n      category\n      tier\n      uses\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}"): typeof import('./graphql.js').PatternsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RefreshSession($input: RefreshSessionInput!) {\n  refreshSession(input: $input) {\n    __typename\n    ... on RefreshSessionPayload {\n      sessionToken\n      refreshToken\n      expiresAt\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').RefreshSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RegisterUser($input: RegisterUserInput!) {\n  registerUser(input: $input) {\n    __typename\n    ... on RegisterUserPayload {\n      sessionToken\n      refreshToken\n      position\n      user {\n        id\n        email\n        name\n        registeredAt\n      }\n      account {\n        id\n        plan {\n          id\n        }\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on InvalidInput {\n      issues {\n        path\n        code\n        message\n      }\n    }\n  }\n}"): typeof import('./graphql.js').RegisterUserDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RemoveMember($input: RemoveMemberInput!) {\n  removeMember(input: $input) {\n    __typename\n    ... on RemoveMemberPayload {\n      userId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').RemoveMemberDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RequestPasswordReset($input: RequestPasswordResetInput!) {\n  requestPasswordReset(input: $input) {\n    __typename\n    ... on RequestPasswordResetPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').RequestPasswordResetDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ResetPassword($input: ResetPasswordInput!) {\n  resetPassword(input: $input) {\n    __typename\n    ... on ResetPasswordPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').ResetPasswordDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RevokeKeyAsOperator($input: RevokeKeyAsOperatorInput!) {\n  revokeKeyAsOperator(input: $input) {\n    __typename\n    ... on RevokeKeyAsOperatorPayload {\n      id\n      accountId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').RevokeKeyAsOperatorDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RevokeKey($input: RevokeKeyInput!) {\n  revokeKey(input: $input) {\n    __typename\n    ... on RevokeKeyPayload {\n      id\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').RevokeKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RevokeOperator($input: RevokeOperatorInput!) {\n  revokeOperator(input: $input) {\n    __typename\n    ... on RevokeOperatorPayload {\n      userId\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').RevokeOperatorDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RotateKey($input: RotateKeyInput!) {\n  rotateKey(input: $input) {\n    __typename\n    ... on RotateKeyPayload {\n      secret\n      secretNotice\n      position\n      key {\n        id\n        name\n        environment\n        scopes\n        prefix\n        last4\n        issuedAt\n        expiresAt\n        rotatedAt\n        graceEndsAt\n        limits {\n          meter\n          window\n          max\n        }\n        metadata {\n          name\n          value\n        }\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on InvalidInput {\n      issues {\n        path\n        code\n        message\n      }\n    }\n  }\n}"): typeof import('./graphql.js').RotateKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query SearchPatterns($query: String!, $first: Int! = 10, $category: String) {\n  searchPatterns(query: $query, first: $first, category: $category) {\n    degraded\n    hits {\n      score\n      similarityScore\n      ranks {\n        text\n        name\n        meaning\n      }\n      pattern {\n        id\n        slug\n        name\n        tier\n      }\n    }\n  }\n}"): typeof import('./graphql.js').SearchPatternsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SignIn($input: SignInInput!) {\n  signIn(input: $input) {\n    __typename\n    ... on SignInPayload {\n      sessionToken\n      refreshToken\n      expiresAt\n      secretNotice\n      position\n      user {\n        id\n        email\n        name\n      }\n      account {\n        id\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n    ... on SignInRefused {\n      retryAfterSeconds\n    }\n  }\n}"): typeof import('./graphql.js').SignInDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SignOutEverywhere($input: SignOutEverywhereInput!) {\n  signOutEverywhere(input: $input) {\n    __typename\n    ... on SignOutEverywherePayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').SignOutEverywhereDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SignOut($input: SignOutInput!) {\n  signOut(input: $input) {\n    __typename\n    ... on SignOutPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').SignOutDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation UpdateProfile($input: UpdateProfileInput!) {\n  updateProfile(input: $input) {\n    __typename\n    ... on UpdateProfilePayload {\n      position\n      user {\n        id\n        name\n      }\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').UpdateProfileDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription UsageChanged {\n  usageChanged {\n    position\n    at\n    totals {\n      meter\n      quantity\n    }\n    limits {\n      name\n      used\n      remaining\n      resetAt\n    }\n  }\n}"): typeof import('./graphql.js').UsageChangedDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Usage($accountId: ID, $from: DateTimeISO, $to: DateTimeISO, $interval: UsageInterval! = DAY, $atLeast: String) {\n  account(id: $accountId) {\n    id\n    usage(from: $from, to: $to, interval: $interval, atLeast: $atLeast) {\n      from\n      to\n      requests\n      stale\n      buckets {\n        start\n        requests\n        refused\n        errors\n        meanDurationMs\n      }\n      operations {\n        operation\n        requests\n      }\n    }\n  }\n}"): typeof import('./graphql.js').UsageDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation VerifyEmail($input: VerifyEmailInput!) {\n  verifyEmail(input: $input) {\n    __typename\n    ... on VerifyEmailPayload {\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').VerifyEmailDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation VerifyKey($input: VerifyKeyInput!) {\n  verifyKey(input: $input) {\n    __typename\n    ... on VerifiedKey {\n      valid\n      reason\n      retryAfter\n      keyId\n      accountId\n      environment\n      scopes\n      expiresAt\n      plan {\n        id\n        features {\n          name\n          value\n        }\n      }\n      limits {\n        name\n        meter\n        max\n        used\n        remaining\n        resetAt\n      }\n      useId\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').VerifyKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation WithdrawInvitation($input: WithdrawInvitationInput!) {\n  withdrawInvitation(input: $input) {\n    __typename\n    ... on WithdrawInvitationPayload {\n      id\n      position\n    }\n    ... on Refusal {\n      code\n      message\n    }\n  }\n}"): typeof import('./graphql.js').WithdrawInvitationDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
