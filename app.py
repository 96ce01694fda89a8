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

    from app_pages.compressed_files import CompressedFiles
    from app_pages.gate import Gate, refuse_open_server
    from app_pages.security_headers import SecurityHeaders
    from app_pages.start import HeadStart, warm_up

    refuse_open_server()
    layers = (SecurityHeaders, Gate, HeadStart, CompressedFiles)
    app = st.App(__file__, lifespan=warm_up, middleware=[Middleware(layer) for layer in layers])
