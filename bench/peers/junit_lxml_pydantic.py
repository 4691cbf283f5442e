"""Reads one JUnit file into validated records, the way a pipeline collector in Python does: lxml builds the tree,
XPath finds the test cases, pydantic checks each record. Prints one line of processor seconds and records for each
round.

    python junit_lxml_pydantic.py REPORT.xml ROUNDS
"""

import sys
import time
from datetime import datetime, timezone
from typing import Literal

from lxml import etree
from pydantic import BaseModel


class TestRecord(BaseModel):
    name: str
    classname: str
    time_seconds: float
    status: Literal["passed", "failed", "skipped", "error"]
    timestamp: datetime


def status_of(case):
    for element, status in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")):
        if case.find(element) is not None:
            return status
    return "passed"


def read(path):
    now = datetime.now(timezone.utc)
    tree = etree.parse(path, etree.XMLParser(huge_tree=True))
    return [
        TestRecord(
            name=case.get("name"),
            classname=case.get("classname"),
            time_seconds=float(case.get("time", 0.0)),
            status=status_of(case),
            timestamp=now,
        )
        for case in tree.xpath("//testcase")
    ]


def main():
    path, rounds = sys.argv[1], int(sys.argv[2])
    for _ in range(rounds):
        started = time.process_time()
        records = read(path)
        print(time.process_time() - started, len(records), flush=True)
        del records


main()
