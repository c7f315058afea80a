"""The paper venue as other programs use it: a process of its own, signed requests, its administration."""
from decimal import Decimal
from world import *


class Venue:
    """The venue in a process of its own, and a client of it."""

    def __init__(self, folder, *arguments):
        self.folder, self.arguments = folder, arguments
        self.start()

    def start(self):
        self.process = start(f"{BIN}/strongroom", "--json", "paper", "--listen", "127.0.0.1:0", "--data-dir", self.folder, *self.arguments,
                             stdout=subprocess.PIPE, text=True)
        self.facts = json.loads(self.process.stdout.readline())
        self.tls = ssl.create_default_context(cafile=self.facts["ca_file"])
        self.secret = open(self.facts["secret_file"]).read().strip().encode()

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ask(self, method, path, api_key=None, secret=None, signed=True, **params):
        if signed:
            params["timestamp"] = int(time.time() * 1000)
            params["recvWindow"] = 60000
        query = urllib.parse.urlencode(params)
        if signed:
            query += "&signature=" + hmac.new(secret or self.secret, query.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.facts['rest_url']}{path}?{query}", method=method,
                                         headers={"X-MBX-APIKEY": api_key or self.facts["api_key"]})
        return json.load(urllib.request.urlopen(request, context=self.tls, timeout=10))

    def refused(self, *arguments, **params):
        try:
            answer = self.ask(*arguments, **params)
        except urllib.error.HTTPError as error:
            body = error.read()
            return error.code, json.loads(body)["code"]
        raise AssertionError(f"not refused: {answer}")

    def administer(self, *arguments):
        done = subprocess.run([f"{BIN}/strongroom", "--json", "paper", "--data-dir", self.folder, *map(str, arguments)], capture_output=True, text=True,
                              timeout=30)
        assert done.returncode == 0, done
        return json.loads(done.stdout) if done.stdout.strip() else None

    def balances(self):
        held = self.ask("GET", "/api/v3/account", omitZeroBalances="true")["balances"]
        return {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in held}
