"""Mail: Django's own, over a line that ends in time. Without SMTP_HOST none is sent."""

from fastloop_console.machine import env

EMAIL_BACKEND = "apps.integrations.smtp.TimedMail"
EMAIL_HOST = env.smtp_host()
EMAIL_PORT = env.smtp_port()
EMAIL_HOST_USER = env.smtp_user()
EMAIL_HOST_PASSWORD = env.smtp_password()
EMAIL_USE_TLS = env.smtp_security() == "starttls"
EMAIL_USE_SSL = env.smtp_security() == "tls"
EMAIL_TIMEOUT = 15  # seconds
DEFAULT_FROM_EMAIL = env.mail_from()
CONSOLE_URL = env.console_url()
