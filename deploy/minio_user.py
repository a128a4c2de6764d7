"""Make the portal's bucket and its user on a MinIO (or Silo) server: `python deploy/minio_user.py HOST:PORT [--insecure]`.

The user may do what storage/s3.py needs in that one bucket (minio-policy.json beside this file) and nothing else: it makes no
bucket, no user, and changes no configuration. Run it again to change the user's secret. Reads from the environment
MINIO_ROOT_USER and MINIO_ROOT_PASSWORD, S3_ACCESS_KEY and S3_SECRET_KEY of the user to make, and S3_BUCKET (evidence;
"*" is for a server to try things out on: any bucket, also new ones). Needs the package `minio`, which the portal has.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import urllib3
from minio import Minio
from minio.credentials import StaticProvider
from minio.error import MinioAdminException, MinioException
from minio.minioadmin import MinioAdmin

POLICY = Path(__file__).with_name("minio-policy.json")


def policy_for(bucket: str) -> dict[str, Any]:
    """The shipped policy, for this bucket."""
    policy: dict[str, Any] = json.loads(POLICY.read_text("utf-8").replace(":::evidence", f":::{bucket}"))
    if bucket == "*":
        makes = ["s3:CreateBucket", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"]
        policy["Statement"].append({"Effect": "Allow", "Action": makes, "Resource": ["arn:aws:s3:::*"]})
    return policy


def main(arguments: list[str]) -> int:
    """Returns 0 when bucket, policy and user are there, 1 when the server does not answer or refuses, 2 for a wrong call."""
    names = ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY")
    missing = [name for name in names if not os.environ.get(name)]
    places = [one for one in arguments if not one.startswith("--")]
    if len(places) != 1 or missing:
        print(
            f"usage: minio_user.py HOST:PORT [--insecure]; missing: {', '.join(missing) or 'HOST:PORT'}",
            file=sys.stderr,
        )
        return 2
    root_user, root_password, access_key, secret_key = (os.environ[name] for name in names)
    if access_key == root_user:
        print("S3_ACCESS_KEY must not be MinIO's root: root may delete what is locked.", file=sys.stderr)
        return 2
    bucket, secure = os.environ.get("S3_BUCKET") or "evidence", "--insecure" not in arguments
    root = StaticProvider(root_user, root_password)
    try:
        if bucket != "*":
            _make_bucket(Minio(places[0], credentials=root, secure=secure, region="us-east-1"), bucket)
        admin = MinioAdmin(endpoint=places[0], credentials=root, secure=secure)
        name = f"{access_key}-store"
        admin.policy_add(name, policy=policy_for(bucket))
        admin.user_add(access_key, secret_key)
        admin.policy_set(name, user=access_key)
    except (MinioException, MinioAdminException, urllib3.exceptions.HTTPError, OSError) as error:
        print(f"the server at {places[0]} says no: {type(error).__name__}", file=sys.stderr)
        return 1
    print(f"user {access_key} may use bucket {bucket}")
    return 0


def _make_bucket(client: Minio, bucket: str) -> None:
    """With object lock, which can be chosen at its making only."""
    if not client.bucket_exists(bucket):
        client.make_bucket(bucket, object_lock=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
