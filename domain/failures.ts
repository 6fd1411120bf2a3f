/**
 * The `type` of every ApplicationFailure that crosses Temporal. Workflows and the API decide by these, never by the
 * text of a message.
 */
export const failures = {
  /** The mailing can't be read: nothing was imported. For good: the file has to be replaced. */
  mailingRefused: 'MailingRefused',
  /** The web service of a mailing does not answer as it should, and may do so later: tried again for a while. */
  webserviceUnavailable: 'WebserviceUnavailable',
  /** The provider refuses the account: no message will be taken until a person has acted. */
  providerAccount: 'ProviderAccount',
  /** Most sends fail, or the provider asked for a pause: tried again with Temporal's back-off. */
  providerUnavailable: 'ProviderUnavailable',
  /** One message was certainly not taken; tried again with Temporal's back-off. */
  notTaken: 'NotTaken',
  /** "Run now" while an earlier run is pending, and the campaign does not allow it. */
  runPending: 'RunPending',
  /** A dry run of a campaign that lacks something; the API says what before it asks. */
  incompleteCampaign: 'IncompleteCampaign',
  /** Resend of a run that is not over, or of none. */
  runNotOver: 'RunNotOver',
  /** Approval of a run that does not wait for it. */
  notWaitingForApproval: 'NotWaitingForApproval',
  /** The campaign is not enabled (any more). */
  notEnabled: 'NotEnabled',
  /** The run has ended: it can't be paused, resumed or cancelled. */
  runEnded: 'RunEnded',
  /** The run's sending hours never open. */
  hoursNeverOpen: 'HoursNeverOpen',
  /** The helpdesk takes no posts: tried again with Temporal's back-off, for as long as it takes. */
  helpdeskUnavailable: 'HelpdeskUnavailable',
  /** A later attempt, or a later step, has moved the run: this one is tried again, unless nobody waits for it any more. */
  superseded: 'Superseded',
  /** The row that an id speaks of is not there. */
  notFound: 'NotFound',
} as const;
export type FailureType = (typeof failures)[keyof typeof failures];
