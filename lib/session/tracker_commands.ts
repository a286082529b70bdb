/** Which processes are traced. */

import {
  ProcessAttribute,
  ProcessValueType,
  TrackingPolicy,
} from "../wire/sessiond/session_state.ts";
import type { SessiondRequest } from "../wire/sessiond/commands.ts";
import type { Context, Handlers } from "./command.ts";
import { refuse } from "./errors.ts";
import { checkDomain, checkOutput, kernelOf } from "./kernel_domain.ts";
import type { KernelDomain, Session, TrackedProcesses } from "./session.ts";

type ValueRequest = SessiondRequest<"TRACKER_ADD_INCLUDE_VALUE">;

/** Most processes of one tracker. */
const PIDS_MAXIMUM = 4_096;
const PID_MAXIMUM = 2 ** 31 - 1;

export const trackerCommands: Handlers<
  | "TRACKER_ADD_INCLUDE_VALUE"
  | "TRACKER_GET_INCLUSION_SET"
  | "TRACKER_GET_POLICY"
  | "TRACKER_REMOVE_INCLUDE_VALUE"
  | "TRACKER_SET_POLICY"
> = {
  TRACKER_GET_POLICY({ session: name, domain, attribute }, context) {
    const session = context.sessions.find(name, context.caller);
    checkDomain(domain.type, context);
    return { policy: policyOf(session, attribute) };
  },

  TRACKER_SET_POLICY({ session: name, domain, ...request }, context) {
    const session = context.sessions.find(name, context.caller);
    checkDomain(domain.type, context);
    return session.inTurn(async () => {
      checkOutput(session);
      const { attribute, policy } = request;
      // Nothing changes, and a set keeps its values.
      if (policyOf(session, attribute) === policy) return {};
      checkIsPid(attribute);
      const kernel = kernelOf(session, context);
      switch (policy) {
        case TrackingPolicy.INCLUDE_ALL:
          await track(kernel, undefined);
          break;
        case TrackingPolicy.EXCLUDE_ALL:
        case TrackingPolicy.INCLUDE_SET:
          await track(kernel, { policy, pids: new Set() });
          break;
        default:
          refuse("INVALID", `Tracking policy ${policy} is unknown`);
      }
      return {};
    });
  },

  TRACKER_ADD_INCLUDE_VALUE(request, context) {
    return changeSet(request, context, (pids, pid) => {
      if (pids.has(pid)) refuse("PROCESS_ATTR_EXISTS");
      if (pids.size >= PIDS_MAXIMUM) {
        refuse("INVALID", `${PIDS_MAXIMUM} processes are tracked already`);
      }
      pids.add(pid);
    });
  },

  TRACKER_REMOVE_INCLUDE_VALUE(request, context) {
    return changeSet(request, context, (pids, pid) => {
      if (!pids.delete(pid)) refuse("PROCESS_ATTR_MISSING");
    });
  },

  TRACKER_GET_INCLUSION_SET({ session: name, domain, attribute }, context) {
    const session = context.sessions.find(name, context.caller);
    checkDomain(domain.type, context);
    if (policyOf(session, attribute) !== TrackingPolicy.INCLUDE_SET) {
      refuse("PROCESS_ATTR_TRACKER_INVALID_TRACKING_POLICY");
    }
    return {
      values: [...session.kernel?.tracked?.pids ?? []].map((pid) => ({
        type: ProcessValueType.PID,
        number: BigInt(pid),
        name: "",
      })),
    };
  },
};

/** @throws {CommandError} INVALID where there is no such attribute. */
function policyOf(session: Session, attribute: number): number {
  if (!Object.values<number>(ProcessAttribute).includes(attribute)) {
    refuse("INVALID", `Process attribute ${attribute} is unknown`);
  }
  const tracked = attribute === ProcessAttribute.PID
    ? session.kernel?.tracked
    : undefined;
  return tracked?.policy ?? TrackingPolicy.INCLUDE_ALL;
}

/**
 * The kernel selects events by the ids of threads in the initial PID namespace,
 * which are told to it beforehand. A process of a given vpid or user may begin
 * at any time, and would be missed until it was told: no list is exact.
 *
 * @throws {CommandError} NOT_SUPPORTED, with what to do instead.
 */
function checkIsPid(attribute: number): void {
  switch (attribute) {
    case ProcessAttribute.PID:
      return;
    case ProcessAttribute.VPID:
      return refuse(
        "NOT_SUPPORTED",
        "The kernel does not select events by vpid: use --pid with the id " +
          "outside of containers; NSpid in /proc/PID/status has both",
      );
    default:
      return refuse(
        "NOT_SUPPORTED",
        "The kernel does not select events by user or group: use --pid, or " +
          "record the context uid or gid and select when reading",
      );
  }
}

async function track(
  kernel: KernelDomain,
  tracked: TrackedProcesses | undefined,
): Promise<void> {
  await kernel.tracing.trackProcesses(tracked && [...tracked.pids]);
  kernel.tracked = tracked;
}

/** Changes a copy of the set, and puts it in force as a whole. */
function changeSet(
  request: ValueRequest,
  context: Context,
  change: (pids: Set<number>, pid: number) => void,
): Promise<Record<never, never>> {
  const session = context.sessions.find(request.session, context.caller);
  checkDomain(request.domain.type, context);
  return session.inTurn(async () => {
    checkOutput(session);
    const { attribute, valueType, number } = request;
    checkIsPid(attribute);
    const kernel = kernelOf(session, context);
    if (policyOf(session, attribute) !== TrackingPolicy.INCLUDE_SET) {
      refuse("PROCESS_ATTR_TRACKER_INVALID_TRACKING_POLICY");
    }
    const pid = Number(number);
    if (valueType !== ProcessValueType.PID || pid < 0 || pid > PID_MAXIMUM) {
      refuse("INVALID", `Process id ${number} of type ${valueType} is none`);
    }
    const pids = new Set(kernel.tracked?.pids);
    change(pids, pid);
    await track(kernel, { policy: TrackingPolicy.INCLUDE_SET, pids });
    return {};
  });
}
