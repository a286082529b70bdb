/** Reports as XML and as JSON. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  formatXml,
  Report,
  ReportElement,
} from "../../lib/cli/lttng/report.ts";

function sample(): Report {
  const report = new Report("list");
  const sessions = report.open().add("sessions");
  sessions.add("session").fields({ name: 'a<b&"c"', enabled: true });
  const second = sessions.add("session").fields({ name: "", unset: undefined });
  second.add("exclusions");
  second.add("exclusions").add("exclusion", "x");
  second.fields({ size: 2n ** 64n - 1n, count: 7n });
  return report;
}

Deno.test({
  name: "Report.format() is empty where nothing was begun",
  permissions: "none",
  fn: () => assertEquals(new Report("list").format("xml"), ""),
});

Deno.test({
  name: "Report.format() writes LTTng's machine interface",
  permissions: "none",
  fn: () => {
    const report = sample();
    const text = report.format("xml");
    assertStringIncludes(text, '<?xml version="1.0" encoding="UTF-8"?>\n');
    assertStringIncludes(
      text,
      ' schemaVersion="4.1"><name>list</name><output><sessions>' +
        "<session><name>a&lt;b&amp;&quot;c&quot;</name>" +
        "<enabled>true</enabled></session>" +
        "<session><name></name><exclusions/>" +
        "<exclusions><exclusion>x</exclusion></exclusions>" +
        "<size>18446744073709551615</size><count>7</count></session>" +
        "</sessions></output></command>\n",
    );
    report.close(false);
    assertStringIncludes(
      report.format("xml"),
      "</output><success>false</success></command>\n",
    );
  },
});

Deno.test({
  name: "Report.format() writes the same as JSON, lists as arrays",
  permissions: "none",
  fn: () => {
    const report = sample();
    report.close(true);
    assertEquals(JSON.parse(report.format("json")), {
      name: "list",
      output: {
        sessions: [
          { name: 'a<b&"c"', enabled: true },
          {
            name: "",
            exclusions: [[], ["x"]],
            size: "18446744073709551615",
            count: 7,
          },
        ],
      },
      success: true,
    });
  },
});

Deno.test({
  name: "formatXml() closes an element without content at once",
  permissions: "none",
  fn: () => assertEquals(formatXml(new ReportElement("output")), "<output/>"),
});
