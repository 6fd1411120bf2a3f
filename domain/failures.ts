/**
 * The `type` of every ApplicationFailure that crosses Temporal. Workflows and the API branch on these, never on the
 * text of a message.
 */
export const failures = {
  /** The mailing cannot be read: nothing was imported. Permanent: the file must be replaced. */
  mailingRefused: 'MailingRefused',
  /** The web service of a mailing does not answer correctly, but may later: retried for a while. */
  webserviceUnavailable: 'WebserviceUnavailable',
  /** The provider refuses the account: it takes no message until a user acts. */
  providerAccount: 'ProviderAccount',
  /** Most sends fail, or the provider asked for a pause: retried with Temporal's back-off. */
  providerUnavailable: 'ProviderUnavailable',
  /** One message was certainly not accepted; retried with Temporal's back-off. */
  notTaken: 'NotTaken',
  /** "Run now" while an earlier run is pending and the campaign does not allow another. */
  runPending: 'RunPending',
  /** A dry run of an incomplete campaign; the API lists what is missing before it asks. */
  incompleteCampaign: 'IncompleteCampaign',
  /** A resend of a run that has not ended, or does not exist. */
  runNotOver: 'RunNotOver',
  /** An approval of a run that does not wait for one. */
  notWaitingForApproval: 'NotWaitingForApproval',
  /** The campaign is not enabled (any more). */
  notEnabled: 'NotEnabled',
  /** The run has ended: it cannot be paused, resumed or cancelled. */
  runEnded: 'RunEnded',
  /** The run's sending hours never open. */
  hoursNeverOpen: 'HoursNeverOpen',
  /** The helpdesk accepts no posts: retried with Temporal's back-off, without a limit. */
  helpdeskUnavailable: 'HelpdeskUnavailable',
  /** An e-mail or a post of alerts was not accepted: retried with Temporal's back-off, for a while. */
  undelivered: 'Undelivered',
  /** A later attempt or step has changed the run: this attempt is retried, unless nobody waits for it any more. */
  superseded: 'Superseded',
  /** No row has this id. */
  notFound: 'NotFound',
} as const;
export type FailureType = (typeof failures)[keyof typeof failures];
