"""The dashboard's frame: headers, page config, study picker, navigation. Start it with `streamlit run app.py`.

Imported (by `streamlit run` or any ASGI server) this file is the server, `app`; run as a script it is the frame that
stands around every page.
"""

import streamlit as st

if __name__ == "__main__":
    from app_pages.frame import show_frame

    show_frame()
else:
    from starlette.middleware import Middleware

    from app_pages.security_headers import SecurityHeaders

    app = st.App(__file__, middleware=[Middleware(SecurityHeaders)])
