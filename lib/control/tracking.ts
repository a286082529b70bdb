/** Which processes are traced. */

import {
  isNameType,
  ProcessValueType,
} from "../wire/sessiond/session_state.ts";
import { BufferType } from "../wire/sessiond/session.ts";
import { ArchivingCommands } from "./archiving.ts";
import { controlError } from "./errors.ts";
import {
  attributeNames,
  type DomainName,
  domainNames,
  nameOf,
  policyNames,
  type ProcessAttributeName,
  type TrackingPolicy,
} from "./names.ts";

/** A process, user or group: by its id, or by its name. */
export type TrackedValue = number | string;

/** What a session daemon is asked of process trackers. */
export class TrackingCommands extends ArchivingCommands {
  /**
   * Which processes are traced, as one of their attributes says. A tracer that
   * the session does not use is not asked, which would make it used: it will
   * trace all.
   *
   * @throws {ControlError} UNSUPPORTED_DOMAIN, INVALID for an attribute that
   * the tracer does not look at.
   */
  async getTrackingPolicy(
    session: string,
    domain: DomainName,
    attribute: ProcessAttributeName,
  ): Promise<TrackingPolicy> {
    if (!await this.usesDomain(session, domain)) return "include all";
    const { policy } = await this.ask("TRACKER_GET_POLICY", {
      ...whom(session, domain),
      attribute: attributeNames[attribute],
    });
    return nameOf(policyNames, policy, "tracking policy");
  }

  /** Traces all processes, none, or those of the inclusion set. */
  async setTrackingPolicy(
    session: string,
    domain: DomainName,
    attribute: ProcessAttributeName,
    policy: TrackingPolicy,
  ): Promise<void> {
    await this.ask("TRACKER_SET_POLICY", {
      ...whom(session, domain),
      attribute: attributeNames[attribute],
      policy: policyNames[policy],
    });
  }

  /**
   * Adds to the processes that are traced.
   *
   * @throws {ControlError} PROCESS_ATTR_EXISTS when it is in the set already;
   * PROCESS_ATTR_TRACKER_INVALID_TRACKING_POLICY unless the policy is
   * `include set`; USER_NOT_FOUND, GROUP_NOT_FOUND.
   */
  async addInclusion(
    session: string,
    domain: DomainName,
    attribute: ProcessAttributeName,
    value: TrackedValue,
  ): Promise<void> {
    await this.ask("TRACKER_ADD_INCLUDE_VALUE", {
      ...whom(session, domain),
      ...valueFields(attribute, value),
    });
  }

  /**
   * Takes from the processes that are traced. Names and ids are apart: what was
   * added by its name is removed by its name.
   *
   * @throws {ControlError} PROCESS_ATTR_MISSING when it is not in the set.
   */
  async removeInclusion(
    session: string,
    domain: DomainName,
    attribute: ProcessAttributeName,
    value: TrackedValue,
  ): Promise<void> {
    await this.ask("TRACKER_REMOVE_INCLUDE_VALUE", {
      ...whom(session, domain),
      ...valueFields(attribute, value),
    });
  }

  /**
   * The processes that are traced.
   *
   * @throws {ControlError} PROCESS_ATTR_TRACKER_INVALID_TRACKING_POLICY unless
   * the policy is `include set`.
   */
  async listInclusions(
    session: string,
    domain: DomainName,
    attribute: ProcessAttributeName,
  ): Promise<TrackedValue[]> {
    if (!await this.usesDomain(session, domain)) {
      throw controlError("PROCESS_ATTR_TRACKER_INVALID_TRACKING_POLICY");
    }
    const { values } = await this.ask("TRACKER_GET_INCLUSION_SET", {
      ...whom(session, domain),
      attribute: attributeNames[attribute],
    });
    return values.map(({ type, number, name }) =>
      isNameType(type) ? name : Number(number)
    );
  }
}

function whom(session: string, domain: DomainName) {
  const bufferType = BufferType.PER_PID;
  return { session, domain: { type: domainNames[domain], bufferType } };
}

/** The types of an attribute's values: by id, and by name. */
const valueTypes: Readonly<
  Record<ProcessAttributeName, readonly [number, number | undefined]>
> = {
  pid: [ProcessValueType.PID, undefined],
  vpid: [ProcessValueType.PID, undefined],
  uid: [ProcessValueType.UID, ProcessValueType.USER_NAME],
  vuid: [ProcessValueType.UID, ProcessValueType.USER_NAME],
  gid: [ProcessValueType.GID, ProcessValueType.GROUP_NAME],
  vgid: [ProcessValueType.GID, ProcessValueType.GROUP_NAME],
};

function valueFields(name: ProcessAttributeName, value: TrackedValue) {
  const attribute = attributeNames[name];
  const [idType, nameType] = valueTypes[name];
  if (typeof value === "string") {
    if (nameType === undefined || value === "") {
      throw controlError("INVALID", `"${value}" is no ${name}`);
    }
    return { attribute, valueType: nameType, number: 0n, name: value };
  }
  if (!Number.isInteger(value) || value < 0) {
    throw controlError("INVALID", `${value} is no ${name}`);
  }
  return { attribute, valueType: idType, number: BigInt(value), name: "" };
}
