//! NGINX with the files that deploy/ ships, on free ports and with a certificate of its own.

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder};
use serde_json::Value;
use tempfile::TempDir;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/nginx");

/// Whom it runs as when the test is run by root.
const NOBODY: u32 = 65_534;

/// It ends with the test, also when that panics.
pub struct Front {
    /// `https://127.0.0.1:<port>`.
    pub url: String,
    /// Where it listens without TLS.
    pub plain_url: String,
    certificate: Certificate,
    process: Child,
    folder: TempDir,
}

impl Front {
    /// In front of these gateways.
    pub async fn of(gateways: &[SocketAddr]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = certify(folder.path());
        for _ in 0..5 {
            let [plain, port] = free_ports();
            render(folder.path(), plain, port, gateways);
            let mut process = start(folder.path());
            if is_up(&mut process, port).await {
                let url = format!("https://127.0.0.1:{port}");
                let plain_url = format!("http://127.0.0.1:{plain}");
                return Self { url, plain_url, certificate, process, folder };
            }
            // Perhaps somebody else was quicker to take one of the ports.
        }
        let said = fs::read_to_string(folder.path().join("errors")).unwrap();
        panic!("nginx, which `scripts/test servers` installs, does not start: {said}");
    }

    /// A client that trusts it, and calls from `address`, one of loopback's.
    pub fn client_at(&self, address: &str) -> Client {
        self.builder().local_address(address.parse::<IpAddr>().unwrap()).build().unwrap()
    }

    /// A client that trusts it, for HTTP/1.1 and HTTP/2.
    pub fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// A client that trusts it, for HTTP/1.1 alone.
    pub fn client_of_http1(&self) -> Client {
        self.builder().http1_only().build().unwrap()
    }

    fn builder(&self) -> ClientBuilder {
        let builder = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        builder.tls_certs_only([self.certificate.clone()])
    }

    /// The lines of its log so far.
    pub fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.path().join("access")).unwrap_or_default();
        // The last one may not be whole yet.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // Told and not killed: its workers end with it only then.
        let told = command(self.folder.path()).args(["-s", "stop"]).status();
        if !told.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// A certificate for loopback, and its key.
fn certify(folder: &Path) -> Certificate {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    fs::write(folder.join("certificate.pem"), &pem).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    Certificate::from_pem(pem.as_bytes()).unwrap()
}

fn free_ports() -> [u16; 2] {
    let listeners = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Fills in the template as envsubst does.
fn render(folder: &Path, plain: u16, port: u16, gateways: &[SocketAddr]) {
    let servers = gateways.iter().map(|address| format!("server {address} max_fails=2 fail_timeout=5s; "));
    let within = |name: &str| folder.join(name).display().to_string();
    let mut text = fs::read_to_string(format!("{SHIPPED}/gateway.conf.template")).unwrap();
    for (name, value) in [
        ("GATEWAYS", servers.collect()),
        ("HTTP_LISTEN", format!("127.0.0.1:{plain}")),
        ("HTTPS_LISTEN", format!("127.0.0.1:{port}")),
        ("PUBLIC_URL", format!("https://127.0.0.1:{port}")),
        ("TLS_CERTIFICATE", within("certificate.pem")),
        ("TLS_KEY", within("key.pem")),
        ("ACCESS_LOG", within("access")),
        ("TEMP_DIR", within("temp")),
    ] {
        text = text.replace(&format!("${{{name}}}"), &value);
    }
    assert!(!text.contains("${"), "a variable is missing here, and in the head of the template perhaps");
    for name in ["conf.d", "temp"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    fs::write(folder.join("conf.d/gateway.conf"), text).unwrap();
    fs::copy(format!("{SHIPPED}/nginx.conf"), folder.join("nginx.conf")).unwrap();
}

/// NGINX on the files in `folder`, for any further arguments. It is never root, and should the test's process end
/// in a hurry, so does NGINX.
fn command(folder: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=TERM");
    if is_root() {
        command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"]);
    }
    let is_in_path = Command::new("nginx").arg("-v").output().is_ok();
    command.arg(if is_in_path { "nginx" } else { "/usr/sbin/nginx" });
    let globals = format!("daemon off; pid {};", folder.join("pid").display());
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf")).args(["-g", &globals]);
    // What it says before it has read where to say it.
    command.arg("-e").arg(folder.join("errors"));
    let errors = File::options().create(true).append(true).open(folder.join("errors")).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
    command
}

fn start(folder: &Path) -> Child {
    let mut command = command(folder);
    if is_root() {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["", "conf.d", "temp", "certificate.pem", "key.pem", "errors"] {
            chown(folder.join(name), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    command.spawn().unwrap()
}

/// Whether it listens in the end, or has ended.
async fn is_up(process: &mut Child, port: u16) -> bool {
    let waiting = async {
        loop {
            if process.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}
