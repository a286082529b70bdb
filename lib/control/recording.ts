/** What a session records: domains, channels, event rules, context fields. */

import {
  type ChannelBlock,
  type ContextBlock,
  type EventBlock,
  EventType,
} from "../wire/sessiond/recording.ts";
import { controlError, isControlError } from "./errors.ts";
import { parseContext } from "./context.ts";
import {
  channelBlock,
  defaultBufferType,
  disabledEvent,
  enabledEvent,
} from "./event_request.ts";
import {
  bufferingNames,
  type BufferingScheme,
  type DomainName,
  domainNames,
  type EventTypeName,
  eventTypeNames,
  isAgent,
  nameOf,
} from "./names.ts";
import {
  type ChannelAttributes,
  type ChannelInfo,
  channelInfo,
  type DomainInfo,
  type EventInfo,
  eventInfo,
  type EventRule,
  type InstrumentationPoint,
  instrumentationPoint,
  type TracepointField,
  tracepointField,
} from "./recording_types.ts";
import { parseSavedSessions, type SavedDomain } from "./saved_session.ts";
import { SessionCommands } from "./sessions.ts";

/** What is disabled of a channel's event rules. */
export interface DisableEventOptions {
  /** Unset, the default channel. */
  readonly channel?: string | undefined;
  /** Of the kernel's rules, which type. @default {"all"} */
  readonly type?: EventTypeName | undefined;
}

/** What a session daemon is asked of what is recorded. */
export class RecordingCommands extends SessionCommands {
  // ---- Lists --------------------------------------------------------------------

  /** The tracers that a session uses. */
  async listDomains(session: string): Promise<DomainInfo[]> {
    const { entries } = await this.ask("LIST_DOMAINS", { session });
    return entries.map(({ type, bufferType }) => ({
      type: nameOf(domainNames, type, "domain"),
      bufferType: nameOf(bufferingNames, bufferType, "buffer type"),
    }));
  }

  /**
   * The channels of a tracer; none where the session does not use it. Agents
   * have those of `ust`.
   */
  async listChannels(
    session: string,
    domain: DomainName,
  ): Promise<ChannelInfo[]> {
    const bufferType = await this.#bufferType(session, domain);
    const blocks = await this.#channelBlocks(session, domain, bufferType);
    return blocks.map(channelInfo);
  }

  /**
   * The event rules of a channel, in no order. The channel's name says nothing
   * for agents.
   *
   * Session daemons of 2.13 are not asked for application rules with
   * exclusions, which some cannot survive: these are read from a copy of the
   * session that is saved to a temporary directory.
   *
   * @throws {ControlError} UST_CHAN_NOT_FOUND, KERN_CHAN_NOT_FOUND.
   */
  async listEvents(
    session: string,
    domain: DomainName,
    channel = "",
  ): Promise<EventInfo[]> {
    const bufferType = await this.#bufferType(session, domain);
    if (isAgent(domain)) {
      if (bufferType === undefined) return [];
    } else {
      await this.#checkChannel(session, domain, bufferType, channel);
      const saved = domain === "ust" && await this.version() <= 13
        ? await this.#eventsWithExclusions(session, channel)
        : undefined;
      if (saved !== undefined) return saved;
    }
    const { entries } = await this.ask("LIST_EVENTS", {
      session,
      domain: numbers(domain, bufferType ?? defaultBufferType(domain)),
      channelName: isAgent(domain) ? "" : channel,
    });
    return entries.map(eventInfo);
  }

  /** The context fields of each channel, which are told of nowhere else. */
  async listContexts(
    session: string,
    domain: DomainName,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const domains = await this.#savedDomains(session);
    const channels = domains.filter(({ type }) => type === domain)
      .flatMap(({ channels }) => channels);
    return new Map(channels.map((channel) => [
      channel.attributes.name,
      channel.contexts.map(({ name }) => name),
    ]));
  }

  /** The tracepoints or loggers of running applications, or of the kernel. */
  async listTracepoints(domain: DomainName): Promise<InstrumentationPoint[]> {
    const { entries } = await this.ask("LIST_TRACEPOINTS", {
      domain: numbers(domain, "per-pid"),
    });
    return entries.map(instrumentationPoint);
  }

  /** The fields of the tracepoints of running applications. */
  async listTracepointFields(domain: DomainName): Promise<TracepointField[]> {
    const { entries } = await this.ask("LIST_TRACEPOINT_FIELDS", {
      domain: numbers(domain, "per-pid"),
    });
    return entries.map(tracepointField);
  }

  /**
   * The system calls that the kernel tracer knows.
   *
   * @throws {ControlError} KERN_NA, NEED_ROOT_SESSIOND.
   */
  async listSyscalls(): Promise<InstrumentationPoint[]> {
    const { entries } = await this.ask("LIST_SYSCALLS", {
      domain: numbers("kernel", "per-pid"),
    });
    return entries.map(instrumentationPoint);
  }

  // ---- Channels -------------------------------------------------------------------

  /**
   * Makes a channel, or enables one that was disabled.
   *
   * @throws {ControlError} UST_CHAN_EXIST, KERN_CHAN_EXIST when it is there and
   * enabled; INVALID, BUFFER_TYPE_MISMATCH, TRACE_ALREADY_STARTED and others.
   */
  async enableChannel(
    session: string,
    domain: DomainName,
    attributes: ChannelAttributes,
  ): Promise<void> {
    const { bufferType = defaultBufferType(domain) } = attributes;
    await this.ask("ENABLE_CHANNEL", {
      session,
      domain: numbers(domain, bufferType),
      channel: channelBlock(domain, attributes),
    });
  }

  /** Disables a channel; what is disabled already is no error. */
  async disableChannel(
    session: string,
    domain: DomainName,
    channel: string,
  ): Promise<void> {
    await this.ask("DISABLE_CHANNEL", {
      session,
      domain: numbers(domain, "per-pid"),
      channelName: channel,
    });
  }

  // ---- Event rules ------------------------------------------------------------------

  /**
   * Makes an event rule, or enables one that was disabled. Without a channel's
   * name, that of the default channel is meant; a channel that is not there is
   * made.
   *
   * @throws {FilterError} When the filter means nothing.
   * @throws {ControlError} UST_EVENT_ENABLED, KERN_EVENT_EXIST when the rule is
   * there; NEED_CHANNEL_NAME when there are channels but not the default one.
   */
  async enableEvent(
    session: string,
    domain: DomainName,
    rule: EventRule,
    channel = "",
  ): Promise<void> {
    const event = enabledEvent(domain, rule, await this.version());
    await this.enableEventBlock(session, domain, rule, event, channel);
  }

  /** Makes an event rule that is in the wire's form already. */
  protected async enableEventBlock(
    session: string,
    domain: DomainName,
    rule: EventRule,
    event: EventBlock,
    channel: string,
  ): Promise<void> {
    const { bufferType = defaultBufferType(domain), userspaceProbe } = rule;
    const file = event.userspaceProbe && userspaceProbe?.path;
    await this.ask("ENABLE_EVENT", {
      session,
      domain: numbers(domain, bufferType),
      channelName: channel,
      fdCount: file === undefined ? 0 : 1,
      event,
    }, file);
  }

  /**
   * Disables the event rules with this name; without one, all of the channel.
   *
   * @throws {ControlError} UST_EVENT_NOT_FOUND and others.
   */
  async disableEvent(
    session: string,
    domain: DomainName,
    name = "",
    options: DisableEventOptions = {},
  ): Promise<void> {
    const { channel = "", type } = options;
    const number = type === undefined ? EventType.ALL : eventTypeNames[type];
    await this.ask("DISABLE_EVENT", {
      session,
      domain: numbers(domain, "per-pid"),
      channelName: channel,
      event: disabledEvent(domain, name, number, await this.version()),
    });
  }

  /**
   * Records a context field with each event of a channel; without a channel's
   * name, of all channels. For the names see {@linkcode contextNames}.
   *
   * @throws {ControlError} INVALID for a name that is unknown;
   * UST_CONTEXT_EXIST, UST_CONTEXT_INVAL, TRACE_ALREADY_STARTED and others.
   */
  async addContext(
    session: string,
    domain: DomainName,
    context: string,
    channel = "",
  ): Promise<void> {
    const block = parseContext(context);
    await this.addContextBlock(session, domain, block, channel);
  }

  /** Adds a context field that is in the wire's form already. */
  protected async addContextBlock(
    session: string,
    domain: DomainName,
    context: ContextBlock,
    channel: string,
  ): Promise<void> {
    await this.ask("ADD_CONTEXT", {
      session,
      domain: numbers(domain, "per-pid"),
      channelName: channel,
      context,
    });
  }

  // ---- Helpers ----------------------------------------------------------------------

  /**
   * Whom the buffers of a tracer belong to; `undefined` where the session does
   * not use it. To name such a tracer in a request would make it used.
   */
  async #bufferType(
    session: string,
    domain: DomainName,
  ): Promise<BufferingScheme | undefined> {
    const domains = await this.listDomains(session);
    return domains.find(({ type }) => type === domain)?.bufferType;
  }

  /** Whether a session uses a tracer: to ask more would make it use it. */
  protected async usesDomain(
    session: string,
    domain: DomainName,
  ): Promise<boolean> {
    return await this.#bufferType(session, domain) !== undefined;
  }

  async #channelBlocks(
    session: string,
    domain: DomainName,
    bufferType: BufferingScheme | undefined,
  ): Promise<ChannelBlock[]> {
    if (bufferType === undefined) return [];
    const { entries } = await this.ask("LIST_CHANNELS", {
      session,
      domain: numbers(domain, bufferType),
    });
    return entries;
  }

  /** A channel's name that it does not know would end the session daemon. */
  async #checkChannel(
    session: string,
    domain: DomainName,
    bufferType: BufferingScheme | undefined,
    channel: string,
  ): Promise<void> {
    const blocks = await this.#channelBlocks(session, domain, bufferType);
    if (blocks.some(({ name }) => name === channel)) return;
    throw controlError(
      domain === "ust" ? "UST_CHAN_NOT_FOUND" : "KERN_CHAN_NOT_FOUND",
      `session ${session} has no channel ${channel}`,
    );
  }

  /** The event rules of a channel if some of them have exclusions. */
  async #eventsWithExclusions(
    session: string,
    channel: string,
  ): Promise<EventInfo[] | undefined> {
    const domains = await this.#savedDomains(session);
    const saved = domains.filter(({ type }) => type === "ust")
      .flatMap(({ channels }) => channels)
      .find(({ attributes }) => attributes.name === channel);
    const isHarmless = saved?.events.every(({ exclusions }) =>
      exclusions.length === 0
    );
    return saved === undefined || isHarmless ? undefined : [...saved.events];
  }

  /** What a copy of the session says, saved where only its user can read. */
  async #savedDomains(session: string): Promise<readonly SavedDomain[]> {
    const directory = await Deno.makeTempDir({ prefix: "lttng-session-" });
    try {
      const { uid, gid } = this.credentials;
      if (uid !== Deno.uid()) await Deno.chown(directory, uid, gid);
      await this.saveSession({ session, directory });
      const path = `${directory}/${session}.lttng`;
      const [saved] = parseSavedSessions(await Deno.readTextFile(path));
      return saved?.domains ?? [];
    } catch (error) {
      if (isControlError(error, "SESS_NOT_FOUND")) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw controlError(
        "SAVE_IO_FAIL",
        `session ${session} cannot be read from a saved copy: ${reason}`,
        { cause: error },
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }
}

function numbers(domain: DomainName, bufferType: BufferingScheme) {
  return { type: domainNames[domain], bufferType: bufferingNames[bufferType] };
}
