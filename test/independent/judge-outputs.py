"""Judges the files of one folder by the schemas that packages of others hold; prints the problems as JSON."""

import json
import pathlib
import sys
import xml.etree.ElementTree as xml

import botocore.session
from botocore.validate import ParamValidator
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def ocsf(path):
    validators = {}
    for at, event in enumerate(lines(path)):
        version, profiles = event["metadata"]["version"], event["metadata"].get("profiles", [])
        key = (version, event["class_uid"], *profiles)
        if key not in validators:
            schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(version))
            name = schemas.lookup_class_name_from_uid(event["class_uid"])
            validators[key] = Draft202012Validator(schemas.get_class_schema(name, profiles))
        for error in validators[key].iter_errors(event):
            yield f"event {at} {error.json_path}: {error.message[:200]}"


def asff(path):
    shape = (
        botocore.session.get_session()
        .get_service_model("securityhub")
        .operation_model("BatchImportFindings")
        .input_shape
    )
    most = shape.members["Findings"].metadata["max"]
    for at, request in enumerate(lines(path)):
        report = ParamValidator().validate(request, shape)
        if report.has_errors():
            yield f"request {at}: {report.generate_report()[:500]}"
        if len(request["Findings"]) > most:
            yield f"request {at} has {len(request['Findings'])} findings"


def junit(path):
    root = xml.fromstring(path.read_bytes())
    cases = root.findall("./testsuite/testcase")
    if root.tag != "testsuites" or len(cases) != int(root.get("tests")):
        yield "the suites do not have the cases they count"


folder = pathlib.Path(sys.argv[1])
judges = {"findings.ocsf.ndjson": ocsf, "asff-batches.ndjson": asff, "junit.xml": junit}
print(json.dumps({name: list(judge(folder / name))[:20] for name, judge in judges.items()}))
