"""What schemathesis does not know of this API."""

import schemathesis


@schemathesis.hook
def before_load_schema(context, schema):
    """`default` stands for every problem, so it would permit every status: each has to be named."""
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("default", None)
